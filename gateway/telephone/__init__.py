"""Telephone calls: Twilio's and Telnyx's media streams over a WebSocket."""
