"""Products for repositories: crates, PageTab, IDR files, ARC, Croissant and deposit records of a described study."""
