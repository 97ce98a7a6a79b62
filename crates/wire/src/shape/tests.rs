use super::*;

shape! {
    struct Inner {
        count: Option<i32> = "count",
        names: Option<Vec<String>> = "names",
    }

    struct Outer {
        inner: Option<Inner> = "inner",
        list: Option<Vec<Inner>> = "list",
        map: Option<BTreeMap<String, String>> = "map",
        flag: Option<bool> = "flag",
        long: Option<i64> = "long",
    }

    struct Tree {
        branches: Option<Vec<Tree>> = "branches",
        leaf: Option<Inner> = "leaf",
    }
}

#[track_caller]
fn check(body: &str, written: &str, unknown: &[&str]) {
    let parsed = parse::<Outer>(body.as_bytes()).unwrap();
    assert_eq!(serde_json::to_string(&parsed.shape).unwrap(), written);
    let paths: Vec<_> = parsed.unknown.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths, unknown);
    assert_eq!(serde_json::from_str::<Outer>(written).unwrap(), parsed.shape);
}

#[track_caller]
fn check_refused(body: &str, path: &str, message: &str) {
    let mismatch = parse::<Outer>(body.as_bytes()).unwrap_err();
    assert_eq!((mismatch.path(), mismatch.to_string().as_str()), (path, message));
}

#[test]
fn an_empty_body_is_an_empty_object() {
    check("", "{}", &[]);
    check(" \n", "{}", &[]);
    check("{}", "{}", &[]);
}

#[test]
fn null_is_the_same_as_absent() {
    check(r#"{"inner":null,"flag":null,"stranger":null}"#, "{}", &[]);
    check(r#"{"inner":{"count":null}}"#, r#"{"inner":{}}"#, &[]);
}

#[test]
fn an_empty_list_is_kept() {
    check(r#"{"list":[]}"#, r#"{"list":[]}"#, &[]);
}

#[test]
fn unknown_members_are_skipped_and_named_by_path() {
    check(
        r#"{"a":1,"inner":{"b":{}},"list":[{},{"count":1,"c":[]}]}"#,
        r#"{"inner":{},"list":[{},{"count":1}]}"#,
        &["a", "inner.b", "list[1].c"],
    );
}

#[test]
fn what_an_unknown_member_held_is_kept() {
    let parsed = parse::<Outer>(br#"{"inner":{"b":[false]}}"#).unwrap();
    let expect = Unknown { path: "inner.b".into(), value: serde_json::json!([false]) };
    assert_eq!(parsed.unknown, [expect]);
}

#[test]
fn whole_numbers_are_integers_however_they_are_spelled() {
    check(r#"{"inner":{"count":3.0},"long":1e3}"#, r#"{"inner":{"count":3},"long":1000}"#, &[]);
}

#[test]
fn wrong_types_are_refused_in_the_words_of_aws() {
    let integer = |kind: &str| format!("{kind}_VALUE cannot be converted to Integer");
    let cases = [
        (r#"{"inner":{"count":"3"}}"#, "inner.count", integer("STRING")),
        (r#"{"inner":{"count":true}}"#, "inner.count", integer("TRUE")),
        (r#"{"inner":{"count":3.5}}"#, "inner.count", integer("NUMBER")),
        (r#"{"inner":{"count":2147483648}}"#, "inner.count", integer("NUMBER")),
        (r#"{"long":1e300}"#, "long", "NUMBER_VALUE cannot be converted to Long".into()),
        (r#"{"flag":"yes"}"#, "flag", "STRING_VALUE cannot be converted to Boolean".into()),
        (r#"{"map":{"a":1}}"#, "map", "NUMBER_VALUE cannot be converted to String".into()),
        (r#"{"map":"a"}"#, "map", "Expected map or null".into()),
        (r#"{"inner":1}"#, "inner", "Expected map or null".into()),
        (r#"{"list":"a"}"#, "list", "Expected list or null".into()),
        (r#"{"list":[null]}"#, "list[0]", "Expected map or null".into()),
        (
            r#"{"inner":{"names":["a",null]}}"#,
            "inner.names[1]",
            "NULL_VALUE cannot be converted to String".into(),
        ),
        (r#"{"flag":{}}"#, "flag", "Start of structure or map found where not expected.".into()),
        (r#"{"flag":[]}"#, "flag", "Start of list found where not expected.".into()),
    ];
    for (body, path, message) in cases {
        check_refused(body, path, &message);
    }
}

#[test]
fn a_body_that_is_no_object_is_refused() {
    check_refused("3", "", "Expected map or null");
    check_refused("[]", "", "Start of list found where not expected.");
    for body in ["{", "{}{}", "nonsense", "{\"a\":1,}"] {
        let mismatch = parse::<Outer>(body.as_bytes()).unwrap_err();
        assert!(mismatch.to_string().starts_with("The body is not valid JSON: "), "{mismatch}");
    }
}

#[test]
fn a_body_that_is_not_utf8_is_refused() {
    assert!(parse::<Outer>(b"{\"map\":{\"a\":\"\xff\"}}").is_err());
}

#[test]
fn deep_nesting_is_refused_rather_than_followed() {
    let body = format!("{{\"a\":{}", "[".repeat(1_000_000));
    let mismatch = parse::<Outer>(body.as_bytes()).unwrap_err();
    assert!(mismatch.to_string().contains("recursion limit"), "{mismatch}");
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    assert_eq!(format!("{:?}", Secret("hush".into())), "Secret(..)");
}

fn structure<T: Shape>() -> &'static Structure {
    T::kind().structure().unwrap()
}

#[test]
fn a_shape_tells_its_members_and_their_types() {
    let outer = structure::<Outer>();
    let members: Vec<_> = outer.members.iter().map(|it| (it.name, (it.kind)())).collect();
    expect_test::expect![[
        r#"Outer [("inner", Structure("Inner")), ("list", List(Structure("Inner"))), ("map", Map(String)), ("flag", Boolean), ("long", Long)]"#
    ]]
    .assert_eq(&format!("{} {members:?}", outer.name));
    assert_eq!(structure::<Inner>().members[1].field, "names");
}

#[test]
fn a_shape_may_hold_itself() {
    let names: Vec<_> = structure::<Tree>().reach().iter().map(|it| it.name).collect();
    assert_eq!(names, ["Tree", "Inner"]);
}
