"""Files of block models: tables of blocks in and out, one column a file between."""
