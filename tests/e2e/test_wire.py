"""The wire itself: requests made by hand, as no SDK would send them."""

import datetime
import hashlib
import hmac
import http.client
import json
import uuid

import pytest

TARGET = "AmazonEC2ContainerServiceV20141113."


class Raw:
    """Signs and sends by hand, so that each part can be wrong."""

    def __init__(self, server):
        self.address = server.listen
        aws = server.aws_environment()
        self.key, self.secret = aws["AWS_ACCESS_KEY_ID"], aws["AWS_SECRET_ACCESS_KEY"]

    def call(self, operation, body, **wrong):
        """Status, headers and JSON of the answer. `body` is JSON as text, bytes, or what to dump."""
        if not isinstance(body, bytes):
            body = (body if isinstance(body, str) else json.dumps(body)).encode()
        headers = self.headers(TARGET + operation if operation else None, body, **wrong)
        return self.send("POST", wrong.get("sent", body), headers)

    def headers(self, target, body, key=None, secret=None, skew=0, region="us-east-1", sent=None):
        now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=skew)
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "host": self.address,
            "x-amz-date": stamp,
        }
        if target:
            headers["x-amz-target"] = target
        names = ";".join(sorted(headers))
        canonical = "\n".join(
            ["POST", "/", "", *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names]
            + [hashlib.sha256(body).hexdigest()]
        )
        scope = f"{day}/{region}/ecs/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
        signing_key = f"AWS4{secret or self.secret}".encode()
        for part in scope.split("/"):
            signing_key = hmac.new(signing_key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(signing_key, to_sign.encode(), hashlib.sha256).hexdigest()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={key or self.key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return headers

    def send(self, method, body, headers, path="/"):
        connection = http.client.HTTPConnection(self.address, timeout=30)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), text


@pytest.fixture
def raw(server):
    return Raw(server)


def refused(answer, code, status=400):
    """Asserts the shape of an error; gives its message."""
    got, headers, text = answer
    assert got == status, text
    body = json.loads(text)
    assert body["__type"].rpartition("#")[2] == code
    uuid.UUID(headers["x-amzn-requestid"])
    return body.get("message", body.get("Message"))


def succeeded(answer):
    status, headers, text = answer
    assert status == 200, text
    uuid.UUID(headers["x-amzn-requestid"])
    assert headers["content-type"] == "application/x-amz-json-1.1"
    return json.loads(text)


@pytest.fixture(autouse=True)
def serves_still(raw):
    yield
    succeeded(raw.call("ListTasks", {}))


def test_a_good_request_is_answered(raw):
    assert succeeded(raw.call("ListTasks", {})).keys() >= {"taskArns"}


def test_an_empty_body_is_an_empty_object(raw):
    succeeded(raw.call("ListTasks", ""))


def test_any_region_may_sign(raw):
    succeeded(raw.call("ListTasks", {}, region="eu-central-1"))


def test_no_authorization(raw):
    headers = raw.headers(TARGET + "ListTasks", b"{}")
    del headers["authorization"]
    refused(raw.send("POST", b"{}", headers), "MissingAuthenticationTokenException")


@pytest.mark.parametrize("text", ["", "Basic eDp5", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a"])
def test_an_authorization_that_cannot_be_read(raw, text):
    headers = {**raw.headers(TARGET + "ListTasks", b"{}"), "authorization": text}
    status, _, _ = raw.send("POST", b"{}", headers)
    assert status in (400, 403)


def test_an_unknown_key(raw):
    message = refused(raw.call("ListTasks", {}, key="AKIDNOBODY"), "UnrecognizedClientException")
    assert message == "The security token included in the request is invalid."


def test_a_wrong_secret(raw):
    refused(raw.call("ListTasks", {}, secret="wrong"), "InvalidSignatureException")


def test_an_altered_body(raw):
    refused(raw.call("ListTasks", {"family": "a"}, sent=b'{"family":"b"}'), "InvalidSignatureException")


def test_an_altered_header(raw):
    headers = {**raw.headers(TARGET + "ListTasks", b"{}"), "x-amz-target": TARGET + "RunTask"}
    refused(raw.send("POST", b"{}", headers), "InvalidSignatureException")


@pytest.mark.parametrize("skew", [-20 * 60, 20 * 60])
def test_a_clock_that_is_wrong(raw, skew):
    refused(raw.call("ListTasks", {}, skew=skew), "InvalidSignatureException")


@pytest.mark.parametrize("skew", [-10 * 60, 10 * 60])
def test_a_clock_that_is_a_little_wrong(raw, skew):
    succeeded(raw.call("ListTasks", {}, skew=skew))


@pytest.mark.parametrize("operation", ["Dance", "", None, "runtask"])
def test_an_unknown_operation(raw, operation):
    refused(raw.call(operation, {}), "UnknownOperationException")


def test_a_target_of_another_service(raw):
    headers = raw.headers("DynamoDB_20120810.ListTables", b"{}")
    refused(raw.send("POST", b"{}", headers), "UnknownOperationException")


@pytest.mark.parametrize(
    "body",
    ["{", "hello", "[]", '"text"', "17", "{} {}", b"\xff\xfe", "{'a':1}", "[" * 100_000, '{"a":' * 100_000],
    ids=lambda body: repr(body[:10]),
)
def test_a_body_that_is_no_json_object(raw, body):
    refused(raw.call("RunTask", body), "SerializationException")


@pytest.mark.parametrize(
    "body",
    [
        {"taskDefinition": 7},
        {"taskDefinition": "x", "count": "two"},
        {"taskDefinition": "x", "count": 1e300},
        {"taskDefinition": "x", "overrides": []},
        {"taskDefinition": "x", "overrides": {"containerOverrides": {"name": "main"}}},
        {"taskDefinition": "x", "overrides": {"containerOverrides": [{"name": "main", "cpu": "256"}]}},
        {"taskDefinition": "x", "overrides": {"containerOverrides": [{"name": "main", "memory": []}]}},
        {"taskDefinition": "x", "overrides": {"containerOverrides": [{"name": "main", "command": "a"}]}},
        {"taskDefinition": "x", "placementStrategy": "random"},
    ],
    ids=json.dumps,
)
def test_a_member_of_the_wrong_type(raw, body):
    answer = raw.call("RunTask", body)
    assert refused(answer, "SerializationException")
    assert "Message" in json.loads(answer[2]), "with a capital letter, unlike all other errors"


def test_required_members_that_only_hand_made_requests_lack(raw):
    for operation, code in [
        ("RunTask", "ClientException"),
        ("StartTask", "ClientException"),
        ("StopTask", "InvalidParameterException"),
        ("DescribeTasks", "InvalidParameterException"),
        ("RegisterTaskDefinition", "ClientException"),
    ]:
        answer = raw.call(operation, {})
        assert refused(answer, code)
        assert "message" in json.loads(answer[2])


def test_null_is_the_same_as_absent(raw):
    body = {"cluster": None, "family": None, "maxResults": None, "nextToken": None}
    succeeded(raw.call("ListTasks", body))


def test_what_newer_clients_add_and_asks_for_nothing_is_let_through(raw, tasks):
    definition = tasks.define()
    newer = {
        "launchType": "EC2",
        "enableExecuteCommand": False,
        "enableECSManagedTags": False,
        "propagateTags": "NONE",
        "tags": [],
        "neverHeardOf": None,
    }
    answer = succeeded(raw.call("RunTask", {"taskDefinition": definition, **newer}))
    tasks.started += [task["taskArn"] for task in answer["tasks"]]
    assert len(answer["tasks"]) == 1


@pytest.mark.parametrize("member", [{"neverHeardOf": {"deep": [1]}}, {"launchType": "FARGATE"}], ids=str)
def test_what_cannot_be_honoured_is_refused_by_name(raw, tasks, member):
    """A task that runs otherwise than asked would be worse than none."""
    answer = raw.call("RunTask", {"taskDefinition": tasks.define(), **member})
    assert list(member)[0] in refused(answer, "InvalidParameterException")


def test_times_are_numbers_and_what_has_no_value_is_left_out(raw, tasks):
    task = tasks.run_one(tasks.define())
    (found,) = succeeded(raw.call("DescribeTasks", {"tasks": [task["taskArn"]]}))["tasks"]
    assert isinstance(found["createdAt"], (int, float))
    assert 1.5e9 < found["createdAt"] < 1e10, "seconds"

    def no_nulls(value):
        if isinstance(value, dict):
            return all(no_nulls(it) for it in value.values())
        return all(no_nulls(it) for it in value) if isinstance(value, list) else value is not None

    assert no_nulls(found)
    stopping = succeeded(raw.call("StopTask", {"task": task["taskArn"]}))["task"]
    assert no_nulls(stopping)


@pytest.mark.parametrize("method, path", [("GET", "/"), ("PUT", "/"), ("POST", "/elsewhere"), ("GET", "/a/../b")])
def test_what_is_no_call_is_no_success(raw, method, path):
    status, _, _ = raw.send(method, b"", raw.headers(TARGET + "ListTasks", b""), path)
    assert 400 <= status < 500


def test_a_body_without_end_is_refused(raw):
    body = b'{"family":"' + b"x" * (32 << 20) + b'"}'
    try:
        status, _, _ = raw.call("ListTasks", body)
    except (ConnectionError, BrokenPipeError):
        return
    assert 400 <= status < 500
