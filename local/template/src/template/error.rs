//! What can be wrong with the template.

/// What is wrong with the template: the file, then the problem.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct TemplateError {
    file: String,
    problem: String,
}

pub(super) type Result<T> = std::result::Result<T, TemplateError>;

impl TemplateError {
    /// `problem` follows the file's name and a colon.
    pub(super) fn new(file: &str, problem: String) -> Self {
        Self {
            file: file.to_owned(),
            problem,
        }
    }
}
