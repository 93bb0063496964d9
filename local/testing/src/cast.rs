//! The people, products and cards that the tests are about.

/// Who gets all mail in test mode.
pub const DEVELOPER: &str = "developer@tests.example";
pub const ADA: &str = "ada@buyers.example";
pub const BOB: &str = "bob@buyers.example";
pub const MUG: &str = "sample-mug";
/// Every month.
pub const COFFEE: &str = "sample-coffee";
/// Every three months, after 14 days for nothing.
pub const MAGAZINE: &str = "sample-magazine";
/// By post.
pub const TEAPOT: &str = "sample-teapot";
/// In euros.
pub const NOTEBOOK: &str = "sample-notebook-eur";
pub const CARD: &str = "4242424242424242";
pub const DECLINED: &str = "4000000000000002";
/// Its refunds stay pending until the test decides how they end.
pub const REFUNDS_SLOWLY: &str = "4000000000007726";
