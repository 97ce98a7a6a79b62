"""What AWS's service model says, what Longshore claims, and the strict comparison of values.

The model is the one that the installed botocore ships: of June 2017 in one environment, of today in
the other.
"""

import json
import math
import re
import subprocess

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.validate

from control_plane import BINARY

MODEL = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("ecs", "service-2"))
OF_2017 = "TagResource" not in MODEL.operation_names

CLAIMS = json.loads(subprocess.run([BINARY, "api", "--json"], check=True, capture_output=True).stdout)
STRUCTURES = CLAIMS["structures"]

# The operations that both the model and Longshore have.
OPERATIONS = sorted(set(CLAIMS["operations"]) & set(MODEL.operation_names))

# What the front end refuses with, before it comes to an operation: AWS's common errors. And
# ServerException, which tells of a fault of this side.
COMMON_ERRORS = {
    "ServerException",
    "UnknownOperationException",
    "SerializationException",
    "RequestEntityTooLargeException",
    "MissingAuthenticationTokenException",
    "IncompleteSignatureException",
    "UnrecognizedClientException",
    "InvalidSignatureException",
}


def claimed(operation, part):
    """What Longshore claims an operation's "request" or "response" to be."""
    return {"type": "structure", "structure": CLAIMS["operations"][operation][part]}


def modelled(operation, part):
    """The same of the model; `None` for one that has none."""
    it = MODEL.operation_model(operation)
    return it.input_shape if part == "request" else it.output_shape


def declared_errors(operation):
    return {it.name for it in MODEL.operation_model(operation).error_shapes}


class Pair:
    """A member as the model has it and as Longshore claims it; one of the two may be missing."""

    def __init__(self, path, shape, claim, is_without_effect=False):
        self.path, self.shape, self.claim = path, shape, claim
        self.is_without_effect = is_without_effect

    @property
    def name(self):
        """Such as `overrides.containerOverrides[0].cpu`."""
        text = "".join(f"[{it}]" if isinstance(it, int) else f".{it}" for it in self.path)
        return text.lstrip(".")


def pairs(operation, part):
    """Every member of an operation's request or response, at every depth that both sides have."""
    structure = STRUCTURES[claimed(operation, part)["structure"]]
    return list(_members(modelled(operation, part), structure, (), ()))


def _members(shape, structure, path, above):
    shapes = shape.members if shape else {}
    for name in sorted({*shapes, *structure}):
        claim = structure.get(name)
        pair = Pair((*path, name), shapes.get(name), claim, (claim or {}).get("withoutEffect", False))
        yield pair
        if pair.shape and claim:
            yield from _below(pair.shape, claim, pair.path, above)


def _below(shape, claim, path, above):
    if shape.type_name != claim["type"]:
        return
    if claim["type"] == "list":
        yield from _element(shape.member, claim["member"], (*path, 0), above)
    elif claim["type"] == "map":
        yield from _element(shape.value, claim["value"], (*path, "key"), above)
    elif claim["type"] == "structure" and claim["structure"] not in above:
        structure = STRUCTURES[claim["structure"]]
        yield from _members(shape, structure, path, (*above, claim["structure"]))


def _element(shape, claim, path, above):
    if shape.type_name != claim["type"]:
        yield Pair(path, shape, claim)
    yield from _below(shape, claim, path, above)


def check_answer(operation, answer):
    """Fails unless the answer is one that the model lets the operation give."""
    if answer.status == 200:
        check_success(operation, answer.json)
        return
    error = answer.json
    assert ("message" in error) != ("Message" in error), error
    further = set(error) - {"__type", "message", "Message"}
    if answer.code in MODEL.shape_names:
        assert further <= set(MODEL.shape_for(answer.code).members), error
    else:
        # What the front end refuses with has no more; what 2017 had no name for may have.
        assert not further or (OF_2017 and answer.code not in COMMON_ERRORS), error
    assert answer.code in {*CLAIMS["operations"][operation]["exceptions"], *COMMON_ERRORS}
    assert (answer.status >= 500) == (answer.code == "ServerException"), answer.text


def check_success(operation, response):
    shape = modelled(operation, "response")
    problems = list(problems_in(response, shape, claimed(operation, "response"), ""))
    assert not problems, "\n".join([operation, *problems])
    # And botocore itself must make of it all that was sent.
    parser = botocore.parsers.JSONParser()
    raw = {"status_code": 200, "headers": {}, "body": json.dumps(response).encode()}
    parsed = parser.parse(raw, shape)
    parsed.pop("ResponseMetadata")
    report = botocore.validate.ParamValidator().validate(parsed, shape)
    assert not report.has_errors(), f"{operation}: {report.generate_report()}"


def problems_in(value, shape, claim, path):
    """What is wrong with a value; nothing is let pass that the model or the claim does not have.

    Of members that the model of 2017 does not know, only the claim is looked at.
    """
    kind = claim["type"]
    if value is None:
        yield f"{path} is null"
    elif not _is_of(kind, value):
        yield f"{path} should be of type {kind}: {value!r}"
    elif shape is not None and shape.type_name != kind:
        yield f"{path} is of type {shape.type_name} in the model, and {kind} here"
    elif kind == "structure":
        members = STRUCTURES[claim["structure"]]
        for name, inner in value.items():
            known = (shape.members if shape is not None else {}).get(name)
            if name not in members:
                yield f"{path}.{name} is not claimed"
            elif shape is not None and known is None and not OF_2017:
                yield f"{path}.{name} is not in the model"
            else:
                yield from problems_in(inner, known, members[name], f"{path}.{name}")
        for name in shape.required_members if shape is not None else ():
            if name not in value:
                yield f"{path}.{name} is required"
    elif kind == "list":
        for index, inner in enumerate(value):
            element = shape.member if shape is not None else None
            yield from problems_in(inner, element, claim["member"], f"{path}[{index}]")
    elif kind == "map":
        for key, inner in value.items():
            element = shape.value if shape is not None else None
            yield from problems_in(inner, element, claim["value"], f"{path}[{key}]")
    elif shape is not None and not OF_2017 and shape.metadata.get("enum"):
        if value not in shape.metadata["enum"]:
            yield f"{path} should be one of {shape.metadata['enum']}: {value!r}"


def _is_of(kind, value):
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    is_whole = is_number and isinstance(value, int)
    return {
        "structure": lambda: isinstance(value, dict),
        "map": lambda: isinstance(value, dict),
        "list": lambda: isinstance(value, list),
        "string": lambda: isinstance(value, str),
        "boolean": lambda: isinstance(value, bool),
        "integer": lambda: is_whole and -(2**31) <= value < 2**31,
        "long": lambda: is_whole and -(2**63) <= value < 2**63,
        "double": lambda: is_number and math.isfinite(value),
        "timestamp": lambda: is_number and 0 < value < 1e11,
    }[kind]()


def sample(shape):
    """A value of the shape that asks for something: no member of it is empty or `false`."""
    kind = shape.type_name
    if kind == "structure":
        return {name: sample(member) for name, member in list(shape.members.items())[:3]} or {"x": 1}
    if kind == "list":
        return [sample(shape.member)]
    if kind == "map":
        return {"key": sample(shape.value)}
    if kind == "string":
        words = [it for it in shape.metadata.get("enum", ()) if not re.fullmatch("none", it, re.I)]
        return words[0] if words else "something"
    return {"boolean": True, "integer": 1, "long": 1, "double": 1.5, "timestamp": 1497513600}[kind]


def with_member(request, path, value):
    """A copy of the request in which the member at the path has this value."""
    request = json.loads(json.dumps(request))
    at = request
    for step, following in zip(path, path[1:]):
        empty = [] if isinstance(following, int) else {}
        if isinstance(step, int) and len(at) <= step:
            at.append(empty)
        elif not isinstance(step, int):
            at.setdefault(step, empty)
        at = at[step]
    if isinstance(path[-1], int):
        at[:] = [value]
    else:
        at[path[-1]] = value
    return request
