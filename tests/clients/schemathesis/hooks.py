"""What schemathesis has to be told about this API.

Makes the accounts that people.yaml signs in with, and says which good-looking requests may be refused: JSON Schema cannot
say everything that a server has to check.
"""

import re
from pathlib import Path
from urllib.parse import urljoin

import requests
import schemathesis
import yaml
from schemathesis.openapi.checks import RejectedPositiveData

PEOPLE = Path(__file__).with_name("people.yaml")

# Bytes of a path and query that are read.
MOST_TARGET = 8192

# Fields and messages of faults that depend on more than the value's form.
BEYOND_THE_SCHEMA = [
    # On earlier requests and other rows.
    ("Idempotency-Key:", "was used for another request"),
    (r"\?cursor", "is not a cursor of this list"),
    (".*", "must be the id of one of (your|the file's) (projects|tasks)"),
    (".*", "must not be the id of two (projects|tasks)|must not be the task itself"),
    ("/operations/[0-9]+", "there is no such task"),
    # On what was sent by mail, or is shown by an authenticator.
    ("/token", "is unknown, was used already, or is too old"),
    ("/code", "is not the code that the authenticator shows now"),
    # On the time of the request.
    (".*", "must (lie|be) in the future|must be a time to come"),
    # On lists that are data of the server, not of the document.
    ("/time_zone", "must be the name of an IANA time zone"),
    (r"\?policy|/preferences/policy", "must be the name of a policy"),
    # On what policies declare.
    (r".*/(policy_)?params/.*", "is no parameter of the policy"),
    # On other fields of the request.
    ("/operations/.*", "is required|has no meaning for this operation"),
    (".*/(snoozed_until|completed_at)", "is (only allowed together with|required for) the status"),
    ("|/operations/[0-9]+", "must have exactly one of"),
    (r"\?to", r"must be later than `\?from`"),
    (r"\?at", "is for lists in the order of scores"),
    ("/new_password", "must differ from the current one"),
    # On how long a part of it is.
    ("/email", "must have at most 64 characters before"),
    # On what letters are.
    (r"\?q", "must contain a letter or a digit"),
    # Schemathesis makes its own texts for this header, whatever the documented pattern says.
    ("If-(None-)?Match:|.*/if_match", "must be `\\*` or a list of entity tags"),
    # On characters that no text may hold, whatever its pattern.
    (".*", "must not contain the NUL character"),
    (r"\?filename", "must not contain control characters"),
    # On what attackers guess.
    ("/password|/new_password", "is easily guessed"),
    # On the calendar: a pattern knows neither leap years nor the last hours of the year 9999 in another zone.
    (".*", "must lie in the years 1970 to 9999|is not a day of the calendar"),
]


@schemathesis.hook
def after_load_schema(context, schema):
    for person in yaml.safe_load(PEOPLE.read_text())["auth"]:
        known = person["loginEndpointAuth"]["payloadUserPwd"]
        body = {"email": known["username"], "password": known["password"]}
        answer = requests.post(urljoin(schema.config.base_url, "/api/auth/register"), json=body, timeout=10)
        # 409: an earlier run made it.
        if answer.status_code not in (201, 409):
            raise RuntimeError(f"cannot register {known['username']}: {answer.status_code} {answer.text}")


@schemathesis.hook
def map_headers(context, headers):
    # The shortest keys come up again and again, with other bodies: nothing would get past them.
    if headers and len(headers.get("Idempotency-Key", "long")) < 3:
        del headers["Idempotency-Key"]
    return headers


@schemathesis.hook
def filter_failure(context, failure, case, response):
    # Answered before anybody looks what is asked for; the document tells of operations.
    if response.status_code == 414 and len(response.request.url) > MOST_TARGET:
        return False
    return not (isinstance(failure, RejectedPositiveData) and rightly_refused(response))


def rightly_refused(response):
    if response.status_code == 412:
        # An entity tag of the right form is still not the present one.
        return True
    faults = response.json().get("errors", []) if response.status_code == 422 else []
    return bool(faults) and all(map(beyond_the_schema, faults))


def beyond_the_schema(fault):
    return any(
        re.fullmatch(field, fault["field"]) and re.match(message, fault["message"])
        for field, message in BEYOND_THE_SCHEMA
    )
