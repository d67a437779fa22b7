//! Binary: the operators between two operands, and how series of both sides meet.

use crate::number::Number;

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
    /// `^`
    Pow,
    /// `atan2`
    Atan2,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `>`
    Gt,
    /// `<`
    Lt,
    /// `>=`
    Ge,
    /// `<=`
    Le,
    /// `</`: a native histogram without its observations above.
    TrimUpper,
    /// `>/`: a native histogram without its observations below.
    TrimLower,
    /// `and`
    And,
    /// `or`
    Or,
    /// `unless`
    Unless,
}

/// Which series of two vectors belong together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matching {
    /// How many may meet one.
    pub cardinality: Cardinality,
    /// `on`: these labels only; else `ignoring`: all but these.
    pub on: bool,
    /// In the order written.
    pub labels: Vec<String>,
    /// Labels of the side of one that `group_left` or `group_right` takes over.
    pub include: Vec<String>,
    /// Stands in for a series that the left side lacks.
    pub fill_left: Option<Number>,
    /// Stands in for a series that the right side lacks.
    pub fill_right: Option<Number>,
}

/// How many series of one side may meet how many of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Cardinality {
    /// The default.
    #[default]
    OneToOne,
    /// `group_left`
    ManyToOne,
    /// `group_right`
    OneToMany,
    /// `and`, `or`, `unless`
    ManyToMany,
}

impl BinaryOp {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::Pow => "^",
            Self::Atan2 => "atan2",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Gt => ">",
            Self::Lt => "<",
            Self::Ge => ">=",
            Self::Le => "<=",
            Self::TrimUpper => "</",
            Self::TrimLower => ">/",
            Self::And => "and",
            Self::Or => "or",
            Self::Unless => "unless",
        }
    }

    /// How tightly it binds: the higher, the tighter. A sign binds like `*`.
    pub fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And | Self::Unless => 2,
            Self::Add | Self::Sub => 4,
            Self::Mul | Self::Div | Self::Mod | Self::Atan2 => 5,
            Self::Pow => 6,
            // Comparisons, and the trims that are written like them.
            _ => 3,
        }
    }

    /// `==`, `<` and their like: they filter, or say 0 and 1 with `bool`.
    pub fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Eq | Self::Ne | Self::Gt | Self::Lt | Self::Ge | Self::Le
        )
    }

    /// `</`, `>/`: they cut native histograms.
    pub fn is_trim(self) -> bool {
        matches!(self, Self::TrimUpper | Self::TrimLower)
    }

    /// `and`, `or`, `unless`: about which series there are, not about their values.
    pub fn is_set(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Unless)
    }
}
