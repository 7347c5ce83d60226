"""Pictures of pixels, and the settings that they are made with."""
