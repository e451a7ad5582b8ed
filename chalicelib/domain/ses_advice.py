# ruff: noqa: E501 (a sentence is read as a whole)
"""One plain sentence for every reason an SES line can give: what happened and what to do about it."""

ADVICE: dict[str, str] = {
    # The way to SES
    "ses_unreachable": "SES can't be reached at the moment; we try again by ourselves.",
    "ses_busy": "SES is busy; we slow down and try again by ourselves.",
    "ses_not_allowed": "The service may not use SES as it should; this is for its operator to mend, not for you.",
    "ses_misconfigured": "Something that the service needs in SES is missing; this is for its operator to mend, not for you.",
    "ses_limit_reached": "SES takes no more identities at the moment; ask the operator of the service.",
    # The account at SES
    "sending_too_fast": "SES finds the pace too high; we slow down and try again by ourselves.",
    "sending_quota_used_up": "The service's daily quota at SES is used up; we go on by ourselves as it is renewed.",
    "ses_paused": "Sending through SES is paused for the whole service; ask its operator.",
    "ses_suspended": "SES has suspended the service; ask its operator.",
    "ses_line_paused": "Sending is paused in SES for this account; ask the operator of the service.",
    "ses_sandbox": "SES is in its sandbox: it sends only to addresses that are verified themselves; ask the operator of the service.",
    # The identity
    "identity_not_yours": "This identity can't be used here. Check its spelling; if it is yours, ask the operator of the service.",
    "identity_not_verified": "SES waits for the proof that the identity is yours: publish the DNS records shown, or follow the link in the mail that SES sent to the address.",
    "identity_not_verified_in_time": "The identity was not verified within 72 hours. Publish the DNS records shown or look for SES's mail, and connect again.",
    "identity_refused": "SES refused this identity; check its spelling.",
    "identity_failed": "SES couldn't verify the identity; check the DNS records shown and connect again.",
    "from_not_verified": "The From address is not verified any more; connect the line again and publish the records shown.",
    "mail_from_not_verified": "The MAIL FROM domain of the identity is not verified; publish its MX record as SES shows it.",
    # The recipient and the message
    "recipient_not_verified": "SES is in its sandbox and sends only to verified addresses; this one isn't.",
    "smtputf8_not_supported": "SES cannot send to addresses with non-Latin letters before the @; use another address.",
    "message_too_large": "The message is larger than SES takes; send the files as links or choose another line.",
    "content_refused": "SES refused the content; change the text or the files.",
    "message_refused": "SES refused the message; its answer below says why.",
    "message_put_off": "SES could not take the message now; we try again by ourselves.",
    "outcome_unknown": "SES did not answer after the message was handed over; it may have been delivered, so it is not sent again.",
}
