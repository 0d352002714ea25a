"""A mail for each document. smtplib works in threads."""

from __future__ import annotations

import smtplib
from dataclasses import replace
from typing import Literal

from adapters.mail.address import MailAddress
from adapters.mail.endpoint import Errand, MailEndpoint
from adapters.mail.envelope import MailEnvelope, date_of
from adapters.mail.notice import MailDestinationOptions, envelope_of, finished, notice
from hub.core.errors import RejectedError, TransientError
from hub.core.ports import Outgoing, Receipt
from hub.core.replies.reply import Reply


class MailDestination:
    """The message id is made of the idempotency key, so that a mail that comes twice can be told."""

    def __init__(self, options: MailDestinationOptions, endpoint: MailEndpoint) -> None:
        self._options = options
        self._endpoint = endpoint

    def address(self, outgoing: Outgoing) -> MailAddress:
        fixed = outgoing.fixed_address
        envelope = MailEnvelope.model_validate_json(fixed) if fixed else envelope_of(self._options, outgoing)
        message_id = f"<{outgoing.key}@{envelope.sender.rpartition('@')[2]}>"
        return MailAddress(**envelope.model_dump(), message_id=message_id)

    def fix_address(self, outgoing: Outgoing, *, earlier: bool = False) -> str:
        """The envelope, packed. See `hub.core.ports.Addressing`: a mail that comes twice is the same one, whatever the
        options say now."""
        return envelope_of(self._options, outgoing).model_copy(update={"date": date_of(self._endpoint.clock)}).packed()

    async def send(self, outgoing: Outgoing) -> Receipt:
        fixed = outgoing.fixed_address or self.fix_address(outgoing)
        mail = notice(self.address(replace(outgoing, fixed_address=fixed)), outgoing)
        errand = Errand(self._endpoint, mail, finished(mail))
        try:
            refused = await self._endpoint.run(errand)
        except smtplib.SMTPRecipientsRefused as error:
            raise of_codes(
                [code for code, _ in error.recipients.values()], f"no recipient is taken: {error}"
            ) from error
        except smtplib.SMTPAuthenticationError as error:
            raise TransientError(f"we are not let in: {describe_reply(error)}", "failed") from error
        except smtplib.SMTPServerDisconnected as error:
            silent = isinstance(error.__context__, TimeoutError)  # smtplib takes silence for an end
            raise TransientError(f"the server went away: {error}", "timeout" if silent else "unreachable") from error
        except smtplib.SMTPResponseException as error:
            raise of_codes([error.smtp_code], describe_reply(error)) from error
        except smtplib.SMTPNotSupportedError as error:
            raise TransientError(f"the server can't do it: {error}", "failed") from error
        except TimeoutError as error:
            raise TransientError("the server took too long", "timeout") from error
        except (smtplib.SMTPException, OSError, ValueError) as error:
            kind: Literal["unreachable", "failed"] = "unreachable" if isinstance(error, OSError) else "failed"
            raise TransientError(f"{type(error).__name__}: {error}", kind) from error
        some = f", not to {', '.join(refused)}" if refused else ""
        return Receipt(f"sent to {', '.join(mail.recipients)}{some}")

    async def close(self) -> None:
        return None


def of_codes(codes: list[int], text: str) -> TransientError | RejectedError:
    """4yz may work later, 5yz never will (RFC 5321 4.2.1)."""
    status = codes[0] if codes else None
    error: TransientError | RejectedError = TransientError(text, "busy")
    if all(500 <= code < 600 for code in codes):
        error = RejectedError(text, status, str(status or "rejected"))
    error.reply = Reply(status, body=text.encode("utf-8", "replace"))
    return error


def describe_reply(error: smtplib.SMTPResponseException) -> str:
    text = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
    return f"{error.smtp_code} {' '.join(text.split())[:300]}"
