"""Take transcripts in: bytes from the wire or a folder, to a stored file and its rows.

receiving   a request's body -> chunks
inflating   chunks as sent -> raw bytes
spooling    raw bytes -> hash, size and a compressed temporary file
comparing   what the new bytes are to the parts that are stored already
storing     the one door: store_transcript
importing   a folder of transcripts, through that door
names       what an uploaded name claims, and what the server calls a transcript
"""
