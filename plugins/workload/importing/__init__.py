"""Parts of the readers of other tools' files: what layers are, how they mix tokens, and how a block is written."""
