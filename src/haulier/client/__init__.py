"""Haulier from Python: `Client` for blocking code, `AsyncClient` for asyncio and trio.

Every error of a call is one of this tree, and says what to do:

    HaulierError
    ├── UnreachableError          no server answers at the address
    ├── ProtocolError             something answers, and it is no Haulier server
    ├── IntegrityError            bytes that arrived are not the bytes that were promised
    ├── WaitTimeoutError          also a TimeoutError; the job still runs
    ├── JobFailedError            raised by `succeeded(job)` alone
    └── RefusedError              the server said no: status, code, detail, fields, request_id
        ├── InvalidError          the request has a fault; `fields` says where
        ├── UnauthenticatedError  no key, or one that is unknown, expired or revoked
        ├── ForbiddenError        the key does not allow this
        ├── NotFoundError         no such thing, or another organisation's
        ├── NotReadyError         the job has not ended
        ├── NoResultError         the job ended without a result
        ├── ConflictError         the thing's state does not allow this
        ├── TooLargeError         more bytes than the server takes
        ├── TooManyError          more requests than the server takes; `retry_after_s`
        └── ServerError           the fault is the server's
            └── UnavailableError  it is there, and cannot serve just now
"""

from haulier.client.aio import AsyncClient
from haulier.client.answers import (
    Artifact,
    Happening,
    Job,
    Process,
    Release,
    Step,
    Storage,
    StoredFile,
    succeeded,
)
from haulier.client.errors import (
    ConflictError,
    FieldError,
    ForbiddenError,
    HaulierError,
    IntegrityError,
    InvalidError,
    JobFailedError,
    NoResultError,
    NotFoundError,
    NotReadyError,
    ProtocolError,
    RefusedError,
    ServerError,
    TooLargeError,
    TooManyError,
    UnauthenticatedError,
    UnavailableError,
    UnreachableError,
    WaitTimeoutError,
)
from haulier.client.flows import Flows
from haulier.client.options import JobQuery, JobRequest
from haulier.client.protocol import RetryPolicy
from haulier.client.sync import Client

__all__ = [
    "Artifact",
    "AsyncClient",
    "Client",
    "ConflictError",
    "FieldError",
    "Flows",
    "ForbiddenError",
    "Happening",
    "HaulierError",
    "IntegrityError",
    "InvalidError",
    "Job",
    "JobFailedError",
    "JobQuery",
    "JobRequest",
    "NoResultError",
    "NotFoundError",
    "NotReadyError",
    "Process",
    "ProtocolError",
    "RefusedError",
    "Release",
    "RetryPolicy",
    "ServerError",
    "Step",
    "Storage",
    "StoredFile",
    "TooLargeError",
    "TooManyError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnreachableError",
    "WaitTimeoutError",
    "succeeded",
]
