//! Where tasks may and should be placed.

use crate::shape::shape;

shape! {
    /// A rule that an instance must satisfy.
    pub struct PlacementConstraint {
        /// `distinctInstance` or `memberOf`.
        kind: Option<String> = "type",
        /// Cluster query language, for `memberOf`.
        expression: Option<String> = "expression",
    }

    /// An order of preference among the instances that satisfy every constraint.
    pub struct PlacementStrategy {
        /// `random`, `spread` or `binpack`.
        kind: Option<String> = "type",
        field: Option<String> = "field",
    }
}
