"""Files by the block-blob protocol of Azure, for every dialect whose clients speak it."""
