"""The POST actions of pages about people: members, invitations, sessions, tokens, passwords."""
