"""How much each number of a hardware description matters to the metrics of a scenario."""
