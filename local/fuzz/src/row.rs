//! Requests in a row: a line `===` is between two, and `{1}` stands for what the first came to, `{2}` for what the
//! second did.

/// Asks one after the other, `most` at most; `ask` says what a request came to.
pub(crate) fn ask(input: &str, most: usize, mut ask: impl FnMut(&str) -> Option<String>) {
    let mut earlier = Vec::<String>::new();
    for request in input.split("\n===\n").take(most) {
        let mut request = request.to_owned();
        for (number, came_to) in (1_usize..).zip(&earlier) {
            request = request.replace(&format!("{{{number}}}"), came_to);
        }
        earlier.push(ask(&request).unwrap_or_default());
    }
}
