//! Where a purchase is delivered to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who gets it, and where, as the buyer told Checkout. `Debug` leaves all of it out, so that none of
/// it can get into a log.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Delivery {
    /// Who receives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Under which number the carrier can reach them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Where they are.
    pub address: Address,
}

/// A postal address, in the parts that Stripe asks for. Which of them there are depends on the
/// country.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Address {
    /// Street and number, or a box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line1: Option<String>,
    /// Apartment, floor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    /// Town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// State, province or prefecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Two letters, in upper case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

impl Delivery {
    /// As it stands on a parcel, line by line, without the phone.
    pub fn label(&self) -> Vec<String> {
        let Address {
            line1,
            line2,
            city,
            state,
            postal_code,
            country,
        } = &self.address;
        let join = |parts: &[&Option<String>], between: &str| {
            let parts = parts.iter().filter_map(|part| part.as_deref());
            parts.collect::<Vec<_>>().join(between)
        };
        // Where addresses have states, the code comes last: `Springfield, IL 62704`.
        let town = match state {
            Some(_) => {
                let region = join(&[state, postal_code], " ");
                join(&[city, &Some(region)], ", ")
            }
            None => join(&[postal_code, city], " "),
        };
        let lines = [
            join(&[&self.name], ""),
            join(&[line1], ""),
            join(&[line2], ""),
            town,
            join(&[country], ""),
        ];
        lines.into_iter().filter(|line| !line.is_empty()).collect()
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").finish_non_exhaustive()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(parts: [&str; 7]) -> Delivery {
        let part = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let [name, line1, line2, city, state, postal_code, country] = parts;
        Delivery {
            name: part(name),
            phone: Some("+49 30 1".to_owned()),
            address: Address {
                line1: part(line1),
                line2: part(line2),
                city: part(city),
                state: part(state),
                postal_code: part(postal_code),
                country: part(country),
            },
        }
    }

    #[test]
    fn an_address_reads_as_on_a_parcel() {
        for (parts, label) in [
            (
                ["Ada Byron", "Weg 1", "", "Berlin", "", "10115", "DE"],
                "Ada Byron/Weg 1/10115 Berlin/DE",
            ),
            (
                [
                    "Jo",
                    "1 Elm St",
                    "Apt 2",
                    "Springfield",
                    "IL",
                    "62704",
                    "US",
                ],
                "Jo/1 Elm St/Apt 2/Springfield, IL 62704/US",
            ),
            (["", "Box 3", "", "", "", "", "IE"], "Box 3/IE"),
        ] {
            assert_eq!(delivery(parts).label().join("/"), label);
        }
    }

    #[test]
    fn where_somebody_lives_is_never_printed() {
        let shown = format!("{:?}", delivery(["Ada", "Weg 1", "a", "b", "c", "d", "DE"]));
        assert_eq!(shown, "Delivery { .. }");
        let address = delivery(["", "Weg 1", "a", "b", "c", "d", "DE"]).address;
        assert_eq!(format!("{address:?}"), "Address { .. }");
    }
}
