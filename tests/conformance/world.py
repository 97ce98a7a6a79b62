"""A control plane with something of everything in it, and one good request of each operation."""

import itertools


class World:
    def __init__(self, control_plane):
        self.control_plane = control_plane
        self.numbers = itertools.count(1)
        self.agents = []

    def __enter__(self):
        self.instance = self.register()
        self.agents.append(self.control_plane.connect_agent(self.instance))
        self.task = self.run()
        return self

    def __exit__(self, *_):
        for agent in self.agents:
            agent.close()

    def ask(self, operation, **request):
        answer = self.control_plane.call(operation, request)
        assert answer.status == 200, answer.text
        return answer.json

    def name(self):
        return f"n{next(self.numbers)}"

    def define(self):
        container = {"name": "main", "image": "busybox", "memory": 8}
        request = {"family": self.name(), "containerDefinitions": [container]}
        return self.ask("RegisterTaskDefinition", **request)["taskDefinition"]["taskDefinitionArn"]

    def deregistered(self):
        definition = self.define()
        self.ask("DeregisterTaskDefinition", taskDefinition=definition)
        return definition

    def register(self, **members):
        answer = self.ask("RegisterContainerInstance", **{**MACHINE, **members})
        return answer["containerInstance"]["containerInstanceArn"]

    def run(self):
        answer = self.ask("RunTask", taskDefinition=self.define())
        assert not answer["failures"], answer
        return answer["tasks"][0]["taskArn"]

    def cluster(self):
        return self.ask("CreateCluster", clusterName=self.name())["cluster"]["clusterArn"]

    def request(self, operation):
        """A request that succeeds, with no more in it than it needs."""
        return REQUESTS[operation](self)


MACHINE = {
    "cluster": "default",
    "totalResources": [
        {"name": "CPU", "type": "INTEGER", "integerValue": 2048},
        {"name": "MEMORY", "type": "INTEGER", "integerValue": 4096},
        {"name": "PORTS", "type": "STRINGSET", "stringSetValue": ["22"]},
        {"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": []},
    ],
    "versionInfo": {"agentVersion": "1.14.3", "agentHash": "3be1ebd", "dockerVersion": "1.12.6"},
    "attributes": [{"name": "com.amazonaws.ecs.capability.docker-remote-api.1.21"}],
}

REQUESTS = {
    "CreateCluster": lambda world: {"clusterName": world.name()},
    "DeleteAccountSetting": lambda world: {"name": "containerInsights"},
    "DeleteAttributes": lambda world: {"attributes": [{"name": "stack", "targetId": world.instance}]},
    "DeleteCluster": lambda world: {"cluster": world.cluster()},
    "DeleteTaskDefinitions": lambda world: {"taskDefinitions": [world.deregistered()]},
    "DeregisterContainerInstance": lambda world: {"containerInstance": world.register()},
    "DeregisterTaskDefinition": lambda world: {"taskDefinition": world.define()},
    "DescribeClusters": lambda world: {"clusters": ["default"]},
    "DescribeContainerInstances": lambda world: {"containerInstances": [world.instance]},
    "DescribeTaskDefinition": lambda world: {"taskDefinition": world.define()},
    "DescribeTasks": lambda world: {"tasks": [world.task]},
    "DiscoverPollEndpoint": lambda world: {"containerInstance": world.instance},
    "ListAccountSettings": lambda world: {"effectiveSettings": True},
    "ListAttributes": lambda world: {"targetType": "container-instance"},
    "ListClusters": lambda world: {},
    "ListContainerInstances": lambda world: {},
    "ListTagsForResource": lambda world: {"resourceArn": world.cluster()},
    "ListTaskDefinitionFamilies": lambda world: {},
    "ListTaskDefinitions": lambda world: {},
    "ListTasks": lambda world: {},
    "PutAccountSetting": lambda world: {"name": "taskLongArnFormat", "value": "enabled"},
    "PutAccountSettingDefault": lambda world: {
        "name": "taskLongArnFormat",
        "value": "enabled",
    },
    "PutAttributes": lambda world: {
        "attributes": [{"name": "stack", "value": "prod", "targetId": world.instance}],
    },
    "RegisterContainerInstance": lambda world: MACHINE,
    "RegisterTaskDefinition": lambda world: {
        "family": world.name(),
        "containerDefinitions": [{"name": "main", "image": "busybox", "memory": 8}],
    },
    "RunTask": lambda world: {"taskDefinition": world.define()},
    "StartTask": lambda world: {
        "taskDefinition": world.define(),
        "containerInstances": [world.instance],
    },
    "StopTask": lambda world: {"task": world.run()},
    "SubmitContainerStateChange": lambda world: {
        "task": world.run(),
        "containerName": "main",
        "status": "RUNNING",
    },
    "SubmitTaskStateChange": lambda world: {
        "task": world.run(),
        "status": "RUNNING",
        "containers": [{"containerName": "main", "status": "RUNNING"}],
    },
    "TagResource": lambda world: {
        "resourceArn": world.cluster(),
        "tags": [{"key": "a", "value": "b"}],
    },
    "UntagResource": lambda world: {"resourceArn": world.cluster(), "tagKeys": ["a"]},
    "UpdateContainerAgent": lambda world: {"containerInstance": world.instance},
    "UpdateContainerInstancesState": lambda world: {
        "containerInstances": [world.register()],
        "status": "DRAINING",
    },
}

# Operations whose every request is refused, and how the best of them is: there is no newer agent to
# update to.
NEVER_SUCCEEDS = {"UpdateContainerAgent": "NoUpdateAvailableException"}
