"""What the faces ask about X12: agreements, answers, documents, sets, and the draft of a partner's file."""
