"""Files of clouds: LAS, LAZ, COPC and EPT, read as one stream of records and written by shards."""
