"""AWS CloudTrail → events: `{"Records": […]}` files as they lie in the bucket, and records one a line.

`sourceIPAddress` may be a service (`cloudformation.amazonaws.com`, `AWS Internal`): it is then in `extra` and there is
no `source_ip`. A role has no user name: the name of the role that issued the session is `user_name`. A record without
`errorCode` is a success; console logins say it in `responseElements`. Digest files (`_CloudTrail-Digest_`) hold no
events.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._cloud import cloudtrail
from socml.formats._envelope import first_objects, members
from socml.formats._json import flatten, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import batches

__all__ = ["Cloudtrail"]


class Cloudtrail:
    """AWS CloudTrail: files of Records, in gzip or plain, and one record a line."""

    name = "cloudtrail"
    about = "AWS CloudTrail: files of Records, in gzip or plain, and one record a line"
    specification = (
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html"
    )
    examples = (
        '{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","userName":"ann"},"eventTime":"2024-02-29T13:06:56Z",'
        '"eventSource":"s3.amazonaws.com","eventName":"ListBuckets","awsRegion":"eu-west-3","sourceIPAddress":"192.0.2.7",'
        '"userAgent":"aws-cli/2.15","eventID":"c1","eventType":"AwsApiCall"}',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of the first objects that have the names of such a record."""
        found = first_objects(head, "Records")
        return 0.96 * sum(_is_ours(one) for one in found) / len(found) if found else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return batches(members(source, "Records"), lambda record: cloudtrail(flatten(loads_exactly(record))))


def _is_ours(found: dict[str, object]) -> bool:
    return "eventName" in found and ("eventSource" in found or "userIdentity" in found)
