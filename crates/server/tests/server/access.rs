//! Who may what, asked of the real doors: every operation by every kind of caller.

use expect_test::expect;
use longshore_server::supported;
use longshore_wire::Operation;
use serde_json::{Value, json};

use crate::harness::{Answer, Fleet, Joined, Key, Machine, World};

/// Two machines that have joined, the first with a task, and the keys of others.
struct Scene {
    world: World,
    a: Joined,
    b: Joined,
    task_of_a: String,
    /// In the order of [`CALLERS`], the root key left out.
    others: [Key; 5],
}

const CALLERS: [&str; 6] = ["root", "own", "other", "unbound", "token", "revoked"];

impl Scene {
    async fn new() -> Self {
        let world = World::start().await;
        let machine = Machine::default();
        let (a, b) = (world.joined(&machine).await, world.joined(&machine).await);
        world.define("job", json!({"memory": 64})).await;
        let agent = world.connect_as(a.key, &a.instance).await.unwrap();
        world.until_connected(&a.instance, true).await;
        let on_a = json!({"taskDefinition": "job", "containerInstances": [a.instance]});
        let started = world.ask(Operation::StartTask, on_a).await;
        agent.leave(&world).await;
        let task_of_a = started["tasks"][0]["taskArn"].as_str().unwrap().to_owned();
        let token = world.token(2).await;
        let unbound = world.key(token, 1).await;
        let revoked = world.joined(&machine).await.key;
        world.call_own("revoke-instance-key", json!({"id": revoked.0})).await.success();
        let others = [a.key, b.key, unbound, token, revoked];
        Self { world, a, b, task_of_a, others }
    }

    /// A request of this operation about machine a, its task, or nothing in particular.
    fn body(&self, operation: Operation) -> Value {
        let instance = &self.a.instance;
        match operation {
            Operation::RegisterContainerInstance => {
                let mut body = Machine::default().registration();
                body["containerInstanceArn"] = json!(instance);
                body
            }
            Operation::DeregisterContainerInstance => {
                json!({"containerInstance": instance, "force": true})
            }
            Operation::UpdateContainerInstancesState => {
                json!({"containerInstances": [instance], "status": "DRAINING"})
            }
            Operation::DiscoverPollEndpoint => {
                json!({"cluster": "default", "containerInstance": instance})
            }
            Operation::SubmitTaskStateChange => {
                json!({"task": self.task_of_a, "status": "RUNNING"})
            }
            Operation::SubmitContainerStateChange => {
                json!({"task": self.task_of_a, "containerName": "main", "status": "RUNNING"})
            }
            Operation::ListTagsForResource => json!({"resourceArn": instance}),
            _ => json!({}),
        }
    }

    /// What each caller is answered: `yes` where the operation was reached.
    async fn row(&self, name: &str, ask: impl AsyncFn(&World, Option<Key>) -> Answer) -> String {
        let mut cells = Vec::new();
        // The root key last: it may change what the others are asked about.
        for key in self.others.into_iter().map(Some).chain([None]) {
            let before = self.world.state().revision();
            let answer = ask(&self.world, key).await;
            let cell = if answer.status == 200 { "yes" } else { verdict(&answer.refusal().1) };
            if cell != "yes" {
                assert_eq!(
                    self.world.state().revision(),
                    before,
                    "{name} {key:?} changed something"
                );
            }
            cells.push(cell);
        }
        cells.rotate_right(1);
        let cells: Vec<_> = cells.iter().map(|it| format!("{it:8}")).collect();
        format!("{name:32} {}", cells.join("")).trim_end().to_owned()
    }
}

fn verdict(exception: &str) -> &'static str {
    match exception {
        "AccessDeniedException" => "no",
        "UnrecognizedClientException" => "unknown",
        // The operation was reached, and found its own fault.
        _ => "yes",
    }
}

fn heading() -> String {
    let cells: Vec<_> = CALLERS.iter().map(|it| format!("{it:8}")).collect();
    format!("{:32} {}", "", cells.join("")).trim_end().to_owned()
}

#[tokio::test]
async fn every_operation_of_ecs_by_every_kind_of_caller() {
    let mut rows = vec![heading()];
    for operation in supported() {
        let scene = Scene::new().await;
        let row = scene.row(operation.name(), async |world, key| {
            let body = scene.body(*operation);
            match key {
                Some(key) => world.call_as(key, *operation, body).await,
                None => world.call(*operation, body).await,
            }
        });
        rows.push(row.await);
    }
    expect![[r#"
                                         root    own     other   unbound token   revoked
        CreateCluster                    yes     no      no      no      no      unknown
        DeleteAccountSetting             yes     no      no      no      no      unknown
        DeleteAttributes                 yes     no      no      no      no      unknown
        DeleteCluster                    yes     no      no      no      no      unknown
        DeleteTaskDefinitions            yes     no      no      no      no      unknown
        DeregisterContainerInstance      yes     yes     no      no      no      unknown
        DeregisterTaskDefinition         yes     no      no      no      no      unknown
        DescribeClusters                 yes     no      no      no      no      unknown
        DescribeContainerInstances       yes     no      no      no      no      unknown
        DescribeTaskDefinition           yes     no      no      no      no      unknown
        DescribeTasks                    yes     no      no      no      no      unknown
        DiscoverPollEndpoint             yes     yes     no      no      no      unknown
        ListAccountSettings              yes     no      no      no      no      unknown
        ListAttributes                   yes     no      no      no      no      unknown
        ListClusters                     yes     no      no      no      no      unknown
        ListContainerInstances           yes     no      no      no      no      unknown
        ListTagsForResource              yes     yes     no      no      no      unknown
        ListTaskDefinitionFamilies       yes     no      no      no      no      unknown
        ListTaskDefinitions              yes     no      no      no      no      unknown
        ListTasks                        yes     no      no      no      no      unknown
        PutAccountSetting                yes     no      no      no      no      unknown
        PutAccountSettingDefault         yes     no      no      no      no      unknown
        PutAttributes                    yes     no      no      no      no      unknown
        RegisterContainerInstance        yes     yes     no      no      no      unknown
        RegisterTaskDefinition           yes     no      no      no      no      unknown
        RunTask                          yes     no      no      no      no      unknown
        StartTask                        yes     no      no      no      no      unknown
        StopTask                         yes     no      no      no      no      unknown
        SubmitContainerStateChange       yes     yes     no      no      no      unknown
        SubmitTaskStateChange            yes     yes     no      no      no      unknown
        TagResource                      yes     no      no      no      no      unknown
        UntagResource                    yes     no      no      no      no      unknown
        UpdateContainerAgent             yes     no      no      no      no      unknown
        UpdateContainerInstancesState    yes     yes     no      no      no      unknown
    "#]]
    .assert_eq(&(rows.join("\n") + "\n"));
}

#[tokio::test]
async fn every_operation_of_our_own_by_every_kind_of_caller() {
    let scene = Scene::new().await;
    let mut rows = vec![heading()];
    for (operation, body) in [
        ("create-join-token", json!({})),
        ("explain", json!({})),
        ("join", json!({"nonce": "0b69d5c0d655469598cd5d2d526d9d5a"})),
        ("list-instance-keys", json!({})),
        ("list-join-tokens", json!({})),
        ("placement-failures", json!({})),
        ("revoke-instance-key", json!({"id": "LSIK00000000000000000000000000000001"})),
        ("revoke-join-token", json!({"id": "LSJT00000000000000000000000000000FFF"})),
        ("snapshot", json!({})),
    ] {
        let row = scene.row(operation, async |world, key| match key {
            Some(key) => world.call_own_as(key, operation, body.clone()).await,
            None => world.call_own(operation, body.clone()).await,
        });
        rows.push(row.await);
    }
    expect![[r#"
                                         root    own     other   unbound token   revoked
        create-join-token                yes     no      no      no      no      unknown
        explain                          yes     no      no      no      no      unknown
        join                             no      no      no      no      yes     unknown
        list-instance-keys               yes     no      no      no      no      unknown
        list-join-tokens                 yes     no      no      no      no      unknown
        placement-failures               yes     no      no      no      no      unknown
        revoke-instance-key              yes     no      no      no      no      unknown
        revoke-join-token                yes     no      no      no      no      unknown
        snapshot                         yes     no      no      no      no      unknown
    "#]]
    .assert_eq(&(rows.join("\n") + "\n"));
}

#[tokio::test]
async fn an_instance_s_socket_is_its_own_key_s_and_the_root_key_s() {
    let scene = Scene::new().await;
    let (world, a) = (&scene.world, &scene.a);
    let [own, other, unbound, token, revoked] = scene.others;
    for (key, exception) in [
        (other, "AccessDeniedException"),
        (unbound, "AccessDeniedException"),
        (token, "AccessDeniedException"),
        (revoked, "UnrecognizedClientException"),
    ] {
        let (status, body) = world.connect_as(key, &a.instance).await.map(drop).unwrap_err();
        assert_eq!(status, 400);
        assert!(body.contains(exception), "{body}");
    }
    assert_eq!(world.instance(&a.instance).await["agentConnected"], false);
    world.connect_as(own, &a.instance).await.unwrap();
    world.until_connected(&a.instance, true).await;
    world.connect(&a.instance).await;
}

#[tokio::test]
async fn a_key_reports_the_tasks_of_its_own_instance_alone() {
    let scene = Scene::new().await;
    let (world, task) = (&scene.world, &scene.task_of_a);
    let before = world.task(task).await;
    let id = task.rsplit('/').next().unwrap();
    for named in [task.as_str(), id] {
        for (operation, body) in [
            (Operation::SubmitTaskStateChange, json!({"task": named, "status": "STOPPED"})),
            (
                Operation::SubmitContainerStateChange,
                json!({"task": named, "containerName": "main", "status": "STOPPED"}),
            ),
        ] {
            let (status, name, message) =
                world.call_as(scene.b.key, operation, body).await.refusal();
            assert_eq!((status, name.as_str()), (400, "AccessDeniedException"));
            assert!(message.starts_with(scene.b.key.0), "{message}");
        }
    }
    assert_eq!(world.task(task).await, before);
    let report = json!({"cluster": "default", "task": task, "status": "RUNNING"});
    world.call_as(scene.a.key, Operation::SubmitTaskStateChange, report).await.success();
    assert_eq!(world.task(task).await["lastStatus"], "RUNNING");
}

/// An agent would say again for ever what is refused.
#[tokio::test]
async fn a_report_on_what_is_not_known_is_acknowledged() {
    let scene = Scene::new().await;
    for task in ["0b69d5c0d655469598cd5d2d526d9d5a", "nonsense", ""] {
        let report = json!({"task": task, "status": "STOPPED"});
        let submit = Operation::SubmitTaskStateChange;
        let answer = scene.world.call_as(scene.a.key, submit, report).await.success();
        assert_eq!(answer["acknowledgment"], "ACCEPT");
    }
}

/// A list of instances is refused whole where one of them is not the caller's.
#[tokio::test]
async fn what_names_several_instances_must_name_only_its_own() {
    let scene = Scene::new().await;
    let (own, other) = (&scene.a.instance, &scene.b.instance);
    for (named, is_allowed) in
        [(vec![own, other], false), (vec![other, own], false), (vec![own], true)]
    {
        let body = json!({"containerInstances": named, "status": "DRAINING"});
        let drain = Operation::UpdateContainerInstancesState;
        let answer = scene.world.call_as(scene.a.key, drain, body).await;
        assert_eq!(answer.status == 200, is_allowed, "{}", answer.text);
    }
    assert_eq!(scene.world.instance(other).await["status"], "ACTIVE");
    assert_eq!(scene.world.instance(own).await["status"], "DRAINING");
    let body = json!({"containerInstances": [own], "status": "ACTIVE"});
    let activate = Operation::UpdateContainerInstancesState;
    let refused = scene.world.call_as(scene.a.key, activate, body).await;
    assert!(refused.text.contains("AccessDeniedException"), "{}", refused.text);
    assert_eq!(scene.world.instance(own).await["status"], "DRAINING");
}

/// An agent of the root key may be any instance's, as before there were other keys.
#[tokio::test]
async fn agents_of_the_root_key_go_on() {
    let mut fleet = Fleet::of(&[Machine::default()]).await;
    fleet.world.define("job", json!({"memory": 64})).await;
    let tasks = fleet.start("job", "a").await;
    assert_eq!(fleet.agent('a').task().await.arn, tasks[0]);
}
