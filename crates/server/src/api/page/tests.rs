use std::collections::BTreeSet;

use longshore_model::Family;
use proptest::prelude::*;

use super::*;

fn pages() -> Pages {
    Pages::new("secret".into())
}

fn is_refused(request: &str, token: &str) -> bool {
    pages().page::<Family>(request.into(), None, Some(token)).is_err()
}

#[test]
fn a_token_leads_back_to_its_place_in_its_own_request_only() {
    let (pages, last) = (pages(), "web-7".parse::<Family>().unwrap());
    let token = pages.token("ListTasks", last.as_str());
    let page = pages.page::<Family>("ListTasks".into(), None, Some(&token));
    assert_eq!(page.ok().unwrap().after(), Some(&last));
    assert!(is_refused("ListTasks family=x", &token));
    let of_another_server = Pages::new("other".into()).token("ListTasks", last.as_str());
    assert!(is_refused("ListTasks", &of_another_server));
    assert!(is_refused("ListTasks", &pages.token("ListTasks", "no family")));
}

#[test]
fn an_altered_token_is_refused() {
    let token = pages().token("ListTasks", "web");
    for at in 0..token.len() {
        let other = if token.as_bytes()[at] == b'0' { "1" } else { "0" };
        let mut altered = token.clone();
        altered.replace_range(at..=at, other);
        assert!(is_refused("ListTasks", &altered), "{altered}");
    }
    for altered in [&token[1..], &token[..40.min(token.len() - 1)], &token.to_uppercase(), "", "é"]
    {
        assert!(is_refused("ListTasks", altered), "{altered}");
    }
    assert!(is_refused("ListTasks", &"é".repeat(40)));
}

/// What happens to a collection while its first pages have been read and others not.
#[derive(Clone, Debug)]
enum Step {
    Add(u8),
    Remove(u8),
    Page(i32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        any::<u8>().prop_map(Step::Add),
        any::<u8>().prop_map(Step::Remove),
        (1..6_i32).prop_map(Step::Page),
    ];
    prop::collection::vec(step, 0..60)
}

/// Names in an order that is not that of the numbers, some the beginning of others.
fn name(number: u8) -> Family {
    format!("{:b}", u16::from(number) + 1).parse().unwrap()
}

proptest! {
    #[test]
    fn nothing_is_listed_twice_and_nothing_that_was_there_throughout_is_left_out(
        at_first in prop::collection::btree_set(any::<u8>(), 0..40),
        steps in steps(),
    ) {
        let pages = pages();
        let mut there: BTreeSet<Family> = at_first.into_iter().map(name).collect();
        let mut throughout = there.clone();
        let mut ever = there.clone();
        let mut seen: Vec<Family> = Vec::new();
        let (mut token, mut is_over) = (None, false);
        // In the end all that is left is read.
        let rest = std::iter::repeat_n(Step::Page(3), 300);
        for step in steps.into_iter().chain(rest) {
            match step {
                Step::Add(number) => {
                    there.insert(name(number));
                    ever.insert(name(number));
                }
                Step::Remove(number) => {
                    there.remove(&name(number));
                    throughout.remove(&name(number));
                }
                Step::Page(_) if is_over => break,
                Step::Page(size) => {
                    let page = pages.page::<Family>("list".into(), Some(size), token.as_deref());
                    let page = page.ok().unwrap();
                    let after = page.after().cloned();
                    let entries = there.iter().filter(|it| after.as_ref().is_none_or(|a| a < it));
                    let (entries, next) = page.fill(entries, |it| (*it).clone());
                    prop_assert!(entries.len() <= usize::try_from(size).unwrap());
                    seen.extend(entries.into_iter().cloned());
                    (is_over, token) = (next.is_none(), next);
                }
            }
        }
        prop_assert!(is_over);
        let listed: BTreeSet<Family> = seen.iter().cloned().collect();
        prop_assert_eq!(listed.len(), seen.len(), "nothing twice");
        prop_assert!(listed.is_superset(&throughout), "nothing left out");
        prop_assert!(listed.is_subset(&ever), "nothing invented");
    }
}
