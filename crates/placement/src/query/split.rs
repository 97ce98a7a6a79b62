//! An expression in two: what it says of an instance's record, which seldom changes, and what it
//! says of its tasks, which change with every placement.

use std::sync::Arc;

use super::Query;
use super::expression::Expression;

/// How much of its text a query asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Whole,
    Record,
    Tasks,
}

/// What an expression demands. It is true where both parts are; a part that is absent always is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Of the record alone: attributes, the agent, the ids and dates.
    pub record: Option<Query>,
    /// Of the tasks, or of both in a way that cannot be taken apart.
    pub tasks: Option<Query>,
}

impl Query {
    /// Takes the expression apart: each thing that must be true goes to the one part or the other.
    pub fn split(&self) -> Split {
        if !self.looks_at_tasks() {
            return Split { record: Some(self.clone()), tasks: None };
        }
        let mut demands = Vec::new();
        flatten(&self.expression, true, &mut demands);
        let (tasks, record): (Vec<_>, Vec<_>) =
            demands.into_iter().partition(Expression::looks_at_tasks);
        if record.is_empty() {
            return Split { record: None, tasks: Some(self.clone()) };
        }
        Split {
            record: Some(self.part(Part::Record, record)),
            tasks: Some(self.part(Part::Tasks, tasks)),
        }
    }

    fn part(&self, part: Part, demands: Vec<Expression>) -> Self {
        let expression = Arc::new(Expression::And(demands));
        Self { text: Arc::clone(&self.text), part, expression }
    }
}

/// Adds what must be true so that the expression is what is wanted.
fn flatten(expression: &Expression, wanted: bool, demands: &mut Vec<Expression>) {
    match (expression, wanted) {
        (Expression::And(parts), true) | (Expression::Or(parts), false) => {
            parts.iter().for_each(|it| flatten(it, wanted, demands));
        }
        (Expression::Not(inner), _) => flatten(inner, !wanted, demands),
        (_, true) => demands.push(expression.clone()),
        (_, false) => demands.push(Expression::Not(Box::new(expression.clone()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::candidate;

    /// Which part asks something, and whether each is true for an instance in zone a with tasks of
    /// the group web.
    #[track_caller]
    fn check(expression: &str, record: Option<bool>, tasks: Option<bool>) {
        let instance = candidate("I @zone=a @gpu tasks=web running=1");
        let split = Query::parse(expression).unwrap().split();
        let answer = |part: Option<Query>| part.map(|it| it.matches(&instance));
        assert_eq!((answer(split.record), answer(split.tasks)), (record, tasks), "{expression}");
    }

    #[test]
    fn each_demand_goes_to_the_record_or_to_the_tasks() {
        check("attribute:zone == a", Some(true), None);
        check("attribute:zone == b or agentConnected == false", Some(false), None);
        check("task:group == web", None, Some(true));
        check("runningTasksCount > 1", None, Some(false));
        check("attribute:zone == a and task:group == db", Some(true), Some(false));
        check(
            "(attribute:zone == b and runningTasksCount == 1) and agentConnected == true",
            Some(false),
            Some(true),
        );
        check("not (attribute:zone == a or task:group == db)", Some(false), Some(true));
        check("!!(attribute:gpu exists and !(!(task:group == web)))", Some(true), Some(true));
        check(
            "attribute:gpu exists and (attribute:zone == b or task:group == web)",
            Some(true),
            Some(true),
        );
        check("not (attribute:zone == b and task:group == web)", None, Some(true));
    }

    #[test]
    fn parts_are_equal_when_they_are_the_same_of_the_same_text() {
        let split = |text| Query::parse(text).unwrap().split();
        let both = split("attribute:a exists and task:group == b");
        assert_eq!(both, split("attribute:a exists and task:group == b"));
        assert_ne!(both.record, both.tasks);
        assert_ne!(both.record, split("attribute:a exists and task:group == c").record);
        let whole = Query::parse("attribute:a exists").unwrap();
        assert_eq!(whole.split().record, Some(whole));
    }
}
