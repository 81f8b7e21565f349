"""What several folders of tests share: places, texts, schemas, strategies, plans and processes."""
