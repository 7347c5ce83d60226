#!/usr/bin/env bash
# planemo 0.75.47: ci_find_repos --changed_in_commit_range, by which release workflows choose what to upload to the Tool Shed.
#
# Expected: a repository whose .shed.yml includes a file is listed when that file changes, as its upload would differ.
# Seen:     only changes below the folder of the .shed.yml count. Shared macros, test data or modules that it includes from
#           elsewhere (`source: ../macros.xml`) change the upload and are not seen; the release is skipped.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check planemo==0.75.47
mkdir -p "$folder/suite/tools/count"
cd "$folder/suite"
cat > tools/count/count.xml <<'XML'
<tool id="count" name="Count" version="1.0"><macros><import>macros.xml</import></macros><command>true</command><inputs /><outputs /></tool>
XML
echo '<macros><token name="@WORD@">one</token></macros>' > tools/macros.xml
cat > tools/count/.shed.yml <<'YAML'
owner: somebody
name: count
include:
  - count.xml
  - source: ../macros.xml
    strip_components: 1
    destination: ./
YAML
git init -q -b main .
git config user.name somebody
git config user.email somebody@example.org
git add . && git commit -qm one
find_changed() {  # planemo also prints the git command that it runs
    "$folder/venv/bin/planemo" --directory "$folder/planemo" ci_find_repos --changed_in_commit_range HEAD~1..HEAD \
        --output "$folder/changed" . >/dev/null 2>&1
    cat "$folder/changed"
}
sed -i 's/one/two/' tools/macros.xml && git commit -qam "the included macros change"
included=$(find_changed)
sed -i 's/Count/Count things/' tools/count/count.xml && git commit -qam "the tool itself changes"
own=$(find_changed)
echo "after a change of the included file: '${included}'; of the tool itself: '${own}'"
[[ -z $included && $own == *tools/count* ]] || { echo "the behaviour changed"; exit 1; }
echo "as described: a changed file that is included from elsewhere is not seen"
