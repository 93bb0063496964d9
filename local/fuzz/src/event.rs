//! The body of a webhook once its signature was believed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use shared::config::{Environment, Stack};
use shared::stripe::event::{self, Event};

static STACK: LazyLock<Stack> = LazyLock::new(|| {
    let variables = BTreeMap::from([("TILL_STACK".to_owned(), "till".to_owned())]);
    let stack = Environment::from(variables).stack();
    stack.expect("till is a tag")
});

/// Whatever it is, it is read in one way or refused; and what is read is of a type that Till handles and has an id,
/// by which it is claimed.
pub(crate) fn run(body: &[u8]) {
    let (label, Ok(Some(event))) = Event::read(body) else {
        return;
    };
    assert!(event::handled().any(|name| name == event.name));
    assert_eq!(label.id.as_deref(), Some(&*event.id));
    let said = format!("{:?}", event.statement(&STACK));
    let again = Event::read(body).1.ok().flatten();
    let again = again.map(|event| event.statement(&STACK));
    assert_eq!(again.map(|again| format!("{again:?}")), Some(said));
}
