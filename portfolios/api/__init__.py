"""What every JSON door stands on: credentials, strict input, problems, pages, throttles, the schema."""
