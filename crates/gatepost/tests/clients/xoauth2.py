"""Logs on by XOAUTH2 as scripts do: the standard library's clients, and one message read or sent.

Arguments: the protocol, its port (TLS from the start), the authority's file, the user. The token is in TOKEN."""

import base64
import imaplib
import os
import poplib
import smtplib
import ssl
import sys

protocol, port, authority, user = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
context = ssl.create_default_context(cafile=authority)
said = f"user={user}\x01auth=Bearer {os.environ['TOKEN']}\x01\x01"

if protocol == "imap":
    imap = imaplib.IMAP4_SSL("localhost", port, ssl_context=context)
    # Called again with the server's error, which it answers with nothing.
    messages = iter([said.encode(), b""])
    imap.authenticate("XOAUTH2", lambda challenge: next(messages))
    imap.select("INBOX")
    print(imap.fetch("1", "(BODY[])")[1][0][1].decode())
elif protocol == "pop3":
    pop3 = poplib.POP3_SSL("localhost", port, context=context)
    pop3._shortcmd("AUTH XOAUTH2 " + base64.b64encode(said.encode()).decode())
    print("\n".join(line.decode() for line in pop3.retr(1)[1]))
else:
    smtp = smtplib.SMTP_SSL("localhost", port, context=context)
    smtp.ehlo()
    smtp.auth("XOAUTH2", lambda challenge=None: said if challenge is None else "")
    smtp.sendmail(user, "bob@example.test", f"From: {user}\r\nSubject: by a token\r\n\r\n")
