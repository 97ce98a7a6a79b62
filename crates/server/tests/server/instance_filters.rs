//! ListContainerInstances `filter`, through the API: every subject, every operator in each of its
//! spellings, and the status beside it.

use longshore_wire::Operation::{ListContainerInstances, RegisterContainerInstance};
use serde_json::{Value, json};

use crate::harness::{Agent, Handshake, Machine, World, open};

/// Four instances, each registered a day after the one before, the first on 2017-06-15 at 08:00.
struct Cluster {
    world: World,
    arns: Vec<String>,
    _agents: Vec<Agent>,
}

/// An instance's EC2 id, attributes, and its agent's version, where it has one.
type Described<'a> = (Option<&'a str>, &'static [&'static str], Option<&'a str>);

const INSTANCES: [Described<'_>; 4] = [
    (Some("i-aaaa1111"), &["stack=prod", "size=9", "ecs.instance-type=t2.small"], Some("1.14.3")),
    (Some("i-bbbb2222"), &["stack=test", "size=10", "ecs.instance-type=m4.large"], Some("1.9.0")),
    (None, &[], None),
    (Some("i-dddd4444"), &["stack"], Some("1.100.0")),
];

impl Cluster {
    /// `a` runs two tasks, `b` one, and one more is not RUNNING yet; `d` is DRAINING.
    async fn start() -> Self {
        let (world, mut arns, mut agents) = (World::start().await, Vec::new(), Vec::new());
        for (ec2_instance_id, attributes, version) in INSTANCES {
            let mut registration = Machine { attributes, ..Machine::default() }.registration();
            if let Some(id) = ec2_instance_id {
                let document = json!({"instanceId": id}).to_string();
                registration["instanceIdentityDocument"] = json!(document);
            }
            let answer = world.ask(RegisterContainerInstance, registration).await;
            let arn = answer["containerInstance"]["containerInstanceArn"].as_str().unwrap();
            if let Some(version) = version {
                let mut handshake = Handshake::of(&world, arn);
                handshake.query = handshake.query.replace("1.14.3", version);
                let socket = open(&world, handshake.signed()).await.unwrap();
                world.until_connected(arn, true).await;
                agents.push(Agent { instance: arn.into(), socket });
            }
            arns.push(arn.to_owned());
            world.clock.move_by_secs(24 * 3600);
        }
        world.define("job", json!({"memory": 4})).await;
        for (group, instances, status) in
            [("web", [0, 0], "RUNNING"), ("db", [1, 1], "RUNNING"), ("db", [1, 1], "PENDING")]
        {
            let instances = instances.map(|it: usize| &arns[it]);
            let body =
                json!({"taskDefinition": "job", "containerInstances": instances, "group": group});
            let answer = world.ask(longshore_wire::Operation::StartTask, body).await;
            let tasks = answer["tasks"].as_array().unwrap();
            for task in tasks.iter().filter(|_| status == "RUNNING") {
                world.report(task["taskArn"].as_str().unwrap(), status).await;
            }
        }
        world.set_state(&arns[3], "DRAINING").await;
        Self { world, arns, _agents: agents }
    }

    /// The letters of the instances that are listed.
    async fn list(&self, body: &Value) -> String {
        let answer = self.world.ask(ListContainerInstances, body.clone()).await;
        let listed = answer["containerInstanceArns"].as_array().unwrap();
        let letter = |arn: &Value| {
            let at = self.arns.iter().position(|it| arn == it).unwrap();
            char::from(b'a' + u8::try_from(at).unwrap())
        };
        listed.iter().map(letter).collect()
    }

    async fn check(&self, cases: &[(&str, &str)]) {
        for (filter, expected) in cases {
            let body = json!({"filter": filter});
            assert_eq!(self.list(&body).await, *expected, "{filter}");
        }
    }
}

#[tokio::test]
async fn every_subject_can_be_filtered_by() {
    let cluster = Cluster::start().await;
    cluster
        .check(&[
            ("runningTasksCount == 2", "ab"),
            ("runningTasksCount != 2", "cd"),
            ("runningTasksCount > 1", "ab"),
            ("runningTasksCount less_than_equal 0", "cd"),
            ("agentVersion == 1.14.3", "a"),
            ("agentVersion < 1.14.5", "ab"),
            ("agentVersion >= 1.14.3", "ad"),
            ("agentVersion != 1.14.3", "bd"),
            ("ec2InstanceId == i-bbbb2222", "b"),
            ("ec2InstanceId in ['i-aaaa1111', 'i-dddd4444']", "ad"),
            ("ec2InstanceId != i-bbbb2222", "ad"),
            ("ec2InstanceId =~ i-[ab].*", "ab"),
            ("registeredAt >= 2017-06-16", "bcd"),
            ("registeredAt < 2017-06-16T08:00:01", "ab"),
            ("registeredAt > 2017-06-17T08:00:00Z", "cd"),
            ("registeredAt <= 2017-06-17T10:00:00+03:00", "ab"),
            ("agentConnected == true", "abd"),
            ("agentConnected == false", "c"),
            ("agentConnected != true", "c"),
            ("agentConnected in [false]", "c"),
            ("task:group == web", "a"),
            ("task:group == db", "b"),
            ("task:group != db", "acd"),
            ("task:group in [web, db]", "ab"),
            ("attribute:stack == prod", "a"),
            ("attribute:ecs.instance-type =~ t2.*", "a"),
            ("attribute:size > 9", "b"),
        ])
        .await;
}

#[tokio::test]
async fn every_operator_can_be_spelt_either_way() {
    let cluster = Cluster::start().await;
    for (spellings, argument, expected) in [
        (["==", "equals"], "test", "b"),
        (["!=", "not_equals"], "prod", "bd"),
        ([">", "greater_than"], "prod", "b"),
        ([">=", "greater_than_equal"], "prod", "ab"),
        (["<", "less_than"], "prod", "d"),
        (["<=", "less_than_equal"], "prod", "ad"),
        (["exists", "exists"], "", "abd"),
        (["!exists", "not_exists"], "", "c"),
        (["in", "in"], "[prod, other]", "a"),
        (["!in", "not_in"], "[prod, other]", "bd"),
        (["=~", "matches"], "p.*|t.*", "ab"),
        (["!~", "not_matches"], "p.*|t.*", "d"),
    ] {
        for operator in spellings {
            let filter = format!("attribute:stack {operator} {argument}");
            cluster.check(&[(&filter, expected)]).await;
        }
    }
    cluster
        .check(&[
            ("attribute:stack == prod || attribute:stack == test", "ab"),
            ("attribute:stack == prod or attribute:stack == test", "ab"),
            ("attribute:stack exists && agentVersion < 1.10", "b"),
            ("attribute:stack exists and agentVersion < 1.10", "b"),
            ("!(attribute:stack exists)", "c"),
            ("not(attribute:stack exists)", "c"),
        ])
        .await;
}

#[tokio::test]
async fn status_and_pages_go_with_a_filter() {
    let cluster = Cluster::start().await;
    let both = |status: &str| json!({"filter": "agentConnected == true", "status": status});
    assert_eq!(cluster.list(&both("ACTIVE")).await, "ab");
    assert_eq!(cluster.list(&both("DRAINING")).await, "d");
    let mut body = json!({"filter": "attribute:stack exists", "maxResults": 1});
    let mut pages = Vec::new();
    loop {
        pages.push(cluster.list(&body).await);
        let answer = cluster.world.ask(ListContainerInstances, body.clone()).await;
        if answer["nextToken"].is_null() {
            break;
        }
        body["nextToken"] = answer["nextToken"].clone();
    }
    assert_eq!(pages, ["a", "b", "d"]);
}
