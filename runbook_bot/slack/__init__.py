"""The desk: Slack as a thin edge over the journal. It parses, acknowledges, hands over and renders."""
