"""What a report says and shows, by kind: reads what a job made, and has it drawn."""
