//! What errors say, and where.

use expect_test::{Expect, expect};

use super::*;

/// Each expression with a mark where it could not be read, and what was expected there.
#[track_caller]
fn check_errors(expressions: &[&str], expect: Expect) {
    let render = |expression: &&str| {
        let error = Query::parse(expression).expect_err(expression);
        let (before, after) = expression.split_at(error.offset());
        format!("{before}^{after}\n    expected {}\n", error.expected())
    };
    expect.assert_eq(&expressions.iter().map(render).collect::<String>());
}

#[test]
fn an_error_says_where_and_what_was_expected() {
    check_errors(
        &[
            "",
            "  ",
            "stack == prod",
            "'attribute:a' == prod",
            "attribute: == prod",
            "attribute:ä == prod",
            "Attribute:a == prod",
            "attribute:a",
            "attribute:stack = prod",
            "attribute:a EQUALS prod",
            "attribute:a ! matches b",
            "attribute:stack ==",
            "attribute:a == [b]",
            "attribute:a == b c",
            "attribute:a == b=c",
            "attribute:a == 'b",
            "attribute:a == é'",
            "attribute:a exists and",
            "and attribute:a exists",
            "attribute:a exists attribute:b exists",
            "attribute:a exists)",
            "attribute:a exists b",
            "(attribute:stack exists",
            "()",
            "not",
        ],
        expect![[r#"
            ^
                expected a subject such as attribute:NAME or task:group
              ^
                expected a subject such as attribute:NAME or task:group
            ^stack == prod
                expected a subject such as attribute:NAME or task:group
            ^'attribute:a' == prod
                expected a subject such as attribute:NAME or task:group
            ^attribute: == prod
                expected the name of an attribute
            ^attribute:ä == prod
                expected the name of an attribute
            ^Attribute:a == prod
                expected a subject such as attribute:NAME or task:group
            attribute:a^
                expected an operator such as == or exists
            attribute:stack ^= prod
                expected an operator such as == or exists
            attribute:a ^EQUALS prod
                expected an operator such as == or exists
            attribute:a ^! matches b
                expected an operator such as == or exists
            attribute:stack ==^
                expected a value
            attribute:a == ^[b]
                expected a value
            attribute:a == b ^c
                expected 'and', 'or' or the end
            attribute:a == b^=c
                expected 'and', 'or' or the end
            attribute:a == 'b^
                expected a closing '
            attribute:a == é'^
                expected a closing '
            attribute:a exists and^
                expected a subject such as attribute:NAME or task:group
            ^and attribute:a exists
                expected a subject such as attribute:NAME or task:group
            attribute:a exists ^attribute:b exists
                expected 'and', 'or' or the end
            attribute:a exists^)
                expected 'and', 'or' or the end
            attribute:a exists ^b
                expected 'and', 'or' or the end
            (attribute:stack exists^
                expected 'and', 'or' or a closing )
            (^)
                expected a subject such as attribute:NAME or task:group
            not^
                expected a subject such as attribute:NAME or task:group
        "#]],
    );
}

#[test]
fn lists_are_checked() {
    check_errors(
        &[
            "attribute:a in b",
            "attribute:a in []",
            "attribute:a in [b",
            "attribute:a in [b,]",
            "attribute:a in [b c]",
            "attribute:a in [[b]]",
        ],
        expect![[r#"
            attribute:a in ^b
                expected a list in square brackets
            attribute:a in [^]
                expected a value
            attribute:a in [b^
                expected a comma or a closing ]
            attribute:a in [b,^]
                expected a value
            attribute:a in [b ^c]
                expected a comma or a closing ]
            attribute:a in [^[b]]
                expected a value
        "#]],
    );
}

#[test]
fn operators_that_a_subject_does_not_take_are_refused() {
    check_errors(
        &[
            "task:group exists",
            "task:group > web",
            "agentConnected !exists",
            "ec2InstanceId <= i-1",
            "agentVersion in [1.2.3]",
            "agentVersion =~ 1.*",
            "registeredAt exists",
            "runningTasksCount not_in [1]",
        ],
        expect![[r#"
            task:group ^exists
                expected one of == != in !in =~ !~
            task:group ^> web
                expected one of == != in !in =~ !~
            agentConnected ^!exists
                expected one of == != in !in =~ !~
            ec2InstanceId ^<= i-1
                expected one of == != in !in =~ !~
            agentVersion ^in [1.2.3]
                expected one of == != > >= < <=
            agentVersion ^=~ 1.*
                expected one of == != > >= < <=
            registeredAt ^exists
                expected one of == != > >= < <=
            runningTasksCount ^not_in [1]
                expected one of == != > >= < <=
        "#]],
    );
}

#[test]
fn values_that_a_subject_cannot_have_are_refused() {
    check_errors(
        &[
            "agentVersion == latest",
            "registeredAt > yesterday",
            "registeredAt > 2018-02-30",
            "registeredAt > 2018-06-18T25:00:00Z",
            "runningTasksCount > many",
            "runningTasksCount > 1.5",
        ],
        expect![[r#"
            agentVersion == ^latest
                expected a version such as 1.14.3
            registeredAt > ^yesterday
                expected a date such as 2018-06-18T22:28:28Z
            registeredAt > ^2018-02-30
                expected a date such as 2018-06-18T22:28:28Z
            registeredAt > ^2018-06-18T25:00:00Z
                expected a date such as 2018-06-18T22:28:28Z
            runningTasksCount > ^many
                expected a whole number
            runningTasksCount > ^1.5
                expected a whole number
        "#]],
    );
}

#[test]
fn patterns_that_are_refused_say_why() {
    check_errors(
        &[
            "attribute:a =~",
            "attribute:a =~ (b|c)",
            "attribute:a =~ t2.(small|medium)",
            "attribute:a =~ [a-",
            "attribute:a =~ '*'",
            "attribute:a =~ a\\",
            "attribute:a =~ '(?=b)b'",
            "attribute:a =~ '(b)\\1'",
            "attribute:a =~ '(?>b)'",
            "attribute:a =~ \\Qb\\E",
            "attribute:a =~ 'b)|(?:c'",
            "attribute:a =~ '((\\w{50}){50}){50}'",
        ],
        expect![[r#"
            attribute:a =~^
                expected a pattern, in quotes if it has parentheses
            attribute:a =~ ^(b|c)
                expected a pattern, in quotes if it has parentheses
            attribute:a =~ t2.^(small|medium)
                expected 'and', 'or' or the end
            attribute:a =~ ^[a-
                expected a regular expression (unclosed character class)
            attribute:a =~ ^'*'
                expected a regular expression (repetition operator missing expression)
            attribute:a =~ ^a\
                expected a regular expression (incomplete escape sequence, reached end of pattern prematurely)
            attribute:a =~ ^'(?=b)b'
                expected a regular expression (look-around, including look-ahead and look-behind, is not supported)
            attribute:a =~ ^'(b)\1'
                expected a regular expression (backreferences are not supported)
            attribute:a =~ ^'(?>b)'
                expected a regular expression (unrecognized flag)
            attribute:a =~ ^\Qb\E
                expected a regular expression (unrecognized escape sequence)
            attribute:a =~ ^'b)|(?:c'
                expected a regular expression (unopened group)
            attribute:a =~ ^'((\w{50}){50}){50}'
                expected a smaller pattern
        "#]],
    );
}

#[test]
fn an_expression_may_have_2000_characters() {
    let longest = format!("attribute:a == {}", "é".repeat(2000 - 15));
    assert!(Query::parse(&longest).is_ok());
    let error = Query::parse(&format!("{longest}é")).unwrap_err();
    assert_eq!((error.offset(), error.expected()), (longest.len(), "at most 2000 characters"));
    assert!(error.to_string().len() < 300);
}

#[test]
fn deep_nesting_is_an_error_and_no_stack_overflow() {
    let parentheses =
        |depth: usize| format!("{}attribute:a exists{}", "(".repeat(depth), ")".repeat(depth));
    let negations = |depth: usize| format!("{}attribute:a exists", "!".repeat(depth));
    let mixed =
        |depth: usize| format!("{}attribute:a exists{}", "!(".repeat(depth), ")".repeat(depth));
    assert!(Query::parse(&parentheses(64)).is_ok());
    assert!(Query::parse(&negations(64)).is_ok());
    assert!(Query::parse(&mixed(32)).is_ok());
    for expression in [parentheses(65), parentheses(900), "(".repeat(2000)] {
        let error = Query::parse(&expression).unwrap_err();
        let expected = "at most 64 levels of parentheses and negations";
        assert_eq!((error.offset(), error.expected()), (65, expected));
    }
    assert!(Query::parse(&negations(65)).is_err());
    assert!(Query::parse(&mixed(33)).is_err());
}

#[test]
fn an_expression_may_have_16_patterns() {
    let patterns = |count: usize| vec!["attribute:a =~ b"; count].join(" or ");
    assert!(Query::parse(&patterns(16)).is_ok());
    let error = Query::parse(&patterns(17)).unwrap_err();
    assert_eq!((error.offset(), error.expected()), (16 * 20 + 15, "at most 16 patterns"));
}
