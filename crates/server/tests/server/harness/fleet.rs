//! Several container instances, named by letters in the order of their registration.

use longshore_wire::Operation;
use serde_json::{Value, json};

use super::{Agent, Machine, World};

pub(crate) struct Fleet {
    pub(crate) world: World,
    /// One for each instance; `None` where it has left.
    pub(crate) agents: Vec<Option<Agent>>,
    arns: Vec<String>,
}

impl Fleet {
    /// A world with these machines, all connected.
    pub(crate) async fn of(machines: &[Machine]) -> Self {
        Self::in_world(World::start().await, machines).await
    }

    /// These machines, all connected, in this world.
    pub(crate) async fn in_world(world: World, machines: &[Machine]) -> Self {
        let (mut agents, mut arns) = (Vec::new(), Vec::new());
        for machine in machines {
            let agent = world.join(machine).await;
            arns.push(agent.instance.clone());
            agents.push(Some(agent));
        }
        Self { world, agents, arns }
    }

    fn index(letter: char) -> usize {
        letter as usize - 'a' as usize
    }

    /// The ARN of the instance with this letter.
    pub(crate) fn arn(&self, letter: char) -> &str {
        &self.arns[Self::index(letter)]
    }

    pub(crate) fn agent(&mut self, letter: char) -> &mut Agent {
        self.agents[Self::index(letter)].as_mut().expect("the agent is there")
    }

    /// The agent of this instance goes away.
    pub(crate) async fn leave(&mut self, letter: char) {
        let agent = self.agents[Self::index(letter)].take().expect("the agent is there");
        agent.leave(&self.world).await;
    }

    /// Runs or starts tasks and compares where they were placed and what failed, such as
    /// `a b | c:RESOURCE:CPU`. An instance that is none of these is `?`.
    pub(crate) async fn check(&self, operation: Operation, body: Value, expected: &str) -> Value {
        let answer = self.world.ask(operation, body.clone()).await;
        assert_eq!(self.shown(&answer), expected, "{operation} {body}");
        answer
    }

    fn shown(&self, answer: &Value) -> String {
        let letter = |arn: &Value| match self.arns.iter().position(|it| arn == it) {
            Some(at) => char::from(b'a' + u8::try_from(at).unwrap()),
            None => '?',
        };
        let tasks = answer["tasks"].as_array().unwrap().iter();
        let placed = tasks.map(|it| letter(&it["containerInstanceArn"]).to_string());
        let failures = answer["failures"].as_array().unwrap().iter();
        let failed =
            failures.map(|it| format!("{}:{}", letter(&it["arn"]), it["reason"].as_str().unwrap()));
        let failed: Vec<String> = failed.collect();
        let bar = if failed.is_empty() { vec![] } else { vec!["|".to_owned()] };
        placed.chain(bar).chain(failed).collect::<Vec<_>>().join(" ")
    }

    /// CPU and memory that are left on an instance.
    pub(crate) async fn remaining(&self, letter: char) -> (i64, i64) {
        let instance = self.world.instance(self.arn(letter)).await;
        let amount = |at: usize| instance["remainingResources"][at]["integerValue"].as_i64();
        (amount(0).unwrap(), amount(1).unwrap())
    }

    /// The TCP and UDP host ports in use on an instance.
    pub(crate) async fn ports(&self, letter: char) -> (Value, Value) {
        let instance = self.world.instance(self.arn(letter)).await;
        let set = |at: usize| instance["remainingResources"][at]["stringSetValue"].clone();
        (set(2), set(3))
    }

    /// The ARNs of tasks of this definition started on an instance, one for each time it is named.
    pub(crate) async fn start(&self, definition: &str, letters: &str) -> Vec<String> {
        let instances: Vec<&str> = letters.chars().map(|it| self.arn(it)).collect();
        let body = json!({"taskDefinition": definition, "containerInstances": instances});
        let answer = self.world.ask(Operation::StartTask, body).await;
        assert_eq!(answer["failures"], json!([]));
        let tasks = answer["tasks"].as_array().unwrap().iter();
        tasks.map(|it| it["taskArn"].as_str().unwrap().to_owned()).collect()
    }
}
