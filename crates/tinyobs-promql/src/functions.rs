//! Functions: every function of the language and what it takes.
//!
//!   parser ─▶ [Function::named] ─▶ check against [Signature] ─▶ evaluation by [Function]
//!
//! One line per function: name, arguments, how many of them are needed, what comes out. The last
//! argument may repeat. Those that Prometheus keeps behind a flag are like the others here.
//!
//! I-FUNCTIONS-1  Names are unique and the table is in their order, so that it can be searched.
//! Proved by: functions/tests.rs.

use crate::ast::ValueType;
use crate::ast::ValueType::{Matrix as M, Scalar as S, String as T, Vector as V};

/// What a function takes and gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// As it is written.
    pub name: &'static str,
    /// Types of the arguments; further ones are like the last.
    pub args: &'static [ValueType],
    /// Arguments that must be there.
    pub required: usize,
    /// Arguments that may be there, or [`ANY`].
    pub most: usize,
    /// Type of the result.
    pub returns: ValueType,
}

/// Makes [`Function`] and [`ALL`] of one list.
macro_rules! functions {
    ($($id:ident $name:literal [$($arg:ident),*] $required:literal..$most:tt => $returns:ident,)*) => {
        /// A function.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the names are those of the language")]
        pub enum Function { $($id,)* }

        /// Every function with its signature, by name.
        pub const ALL: &[(Function, Signature)] = &[$((Function::$id, Signature {
            name: $name,
            args: &[$($arg),*],
            required: $required,
            most: $most,
            returns: $returns,
        }),)*];
    };
}

/// As many arguments as one likes.
pub const ANY: usize = usize::MAX;

#[rustfmt::skip] // One line each is the point.
functions! {
    Abs "abs" [V] 1..1 => V,
    Absent "absent" [V] 1..1 => V,
    AbsentOverTime "absent_over_time" [M] 1..1 => V,
    Acos "acos" [V] 1..1 => V,
    Acosh "acosh" [V] 1..1 => V,
    Asin "asin" [V] 1..1 => V,
    Asinh "asinh" [V] 1..1 => V,
    Atan "atan" [V] 1..1 => V,
    Atanh "atanh" [V] 1..1 => V,
    AvgOverTime "avg_over_time" [M] 1..1 => V,
    Ceil "ceil" [V] 1..1 => V,
    Changes "changes" [M] 1..1 => V,
    Clamp "clamp" [V, S, S] 3..3 => V,
    ClampMax "clamp_max" [V, S] 2..2 => V,
    ClampMin "clamp_min" [V, S] 2..2 => V,
    Cos "cos" [V] 1..1 => V,
    Cosh "cosh" [V] 1..1 => V,
    CountOverTime "count_over_time" [M] 1..1 => V,
    DayOfMonth "day_of_month" [V] 0..1 => V,
    DayOfWeek "day_of_week" [V] 0..1 => V,
    DayOfYear "day_of_year" [V] 0..1 => V,
    DaysInMonth "days_in_month" [V] 0..1 => V,
    Deg "deg" [V] 1..1 => V,
    Delta "delta" [M] 1..1 => V,
    Deriv "deriv" [M] 1..1 => V,
    DoubleExponentialSmoothing "double_exponential_smoothing" [M, S, S] 3..3 => V,
    End "end" [] 0..0 => S,
    Exp "exp" [V] 1..1 => V,
    FirstOverTime "first_over_time" [M] 1..1 => V,
    Floor "floor" [V] 1..1 => V,
    HistogramAvg "histogram_avg" [V] 1..1 => V,
    HistogramCount "histogram_count" [V] 1..1 => V,
    HistogramFraction "histogram_fraction" [S, S, V] 3..3 => V,
    HistogramQuantile "histogram_quantile" [S, V] 2..2 => V,
    HistogramQuantiles "histogram_quantiles" [V, T, S] 3..12 => V,
    HistogramStddev "histogram_stddev" [V] 1..1 => V,
    HistogramStdvar "histogram_stdvar" [V] 1..1 => V,
    HistogramSum "histogram_sum" [V] 1..1 => V,
    Hour "hour" [V] 0..1 => V,
    Idelta "idelta" [M] 1..1 => V,
    Increase "increase" [M] 1..1 => V,
    Info "info" [V, V] 1..2 => V,
    Irate "irate" [M] 1..1 => V,
    LabelJoin "label_join" [V, T, T, T] 3..ANY => V,
    LabelReplace "label_replace" [V, T, T, T, T] 5..5 => V,
    LastOverTime "last_over_time" [M] 1..1 => V,
    Ln "ln" [V] 1..1 => V,
    Log10 "log10" [V] 1..1 => V,
    Log2 "log2" [V] 1..1 => V,
    MadOverTime "mad_over_time" [M] 1..1 => V,
    MaxOf "max_of" [S, S] 2..2 => S,
    MaxOverTime "max_over_time" [M] 1..1 => V,
    MinOf "min_of" [S, S] 2..2 => S,
    MinOverTime "min_over_time" [M] 1..1 => V,
    Minute "minute" [V] 0..1 => V,
    Month "month" [V] 0..1 => V,
    Pi "pi" [] 0..0 => S,
    PredictLinear "predict_linear" [M, S] 2..2 => V,
    PresentOverTime "present_over_time" [M] 1..1 => V,
    QuantileOverTime "quantile_over_time" [S, M] 2..2 => V,
    Rad "rad" [V] 1..1 => V,
    Range "range" [] 0..0 => S,
    Rate "rate" [M] 1..1 => V,
    Resets "resets" [M] 1..1 => V,
    Round "round" [V, S] 1..2 => V,
    Scalar "scalar" [V] 1..1 => S,
    Sgn "sgn" [V] 1..1 => V,
    Sin "sin" [V] 1..1 => V,
    Sinh "sinh" [V] 1..1 => V,
    Sort "sort" [V] 1..1 => V,
    SortByLabel "sort_by_label" [V, T] 1..ANY => V,
    SortByLabelDesc "sort_by_label_desc" [V, T] 1..ANY => V,
    SortDesc "sort_desc" [V] 1..1 => V,
    Sqrt "sqrt" [V] 1..1 => V,
    Start "start" [] 0..0 => S,
    StartTimestamp "start_timestamp" [V] 1..1 => V,
    StddevOverTime "stddev_over_time" [M] 1..1 => V,
    StdvarOverTime "stdvar_over_time" [M] 1..1 => V,
    Step "step" [] 0..0 => S,
    SumOverTime "sum_over_time" [M] 1..1 => V,
    Tan "tan" [V] 1..1 => V,
    Tanh "tanh" [V] 1..1 => V,
    Time "time" [] 0..0 => S,
    Timestamp "timestamp" [V] 1..1 => V,
    TsOfFirstOverTime "ts_of_first_over_time" [M] 1..1 => V,
    TsOfLastOverTime "ts_of_last_over_time" [M] 1..1 => V,
    TsOfMaxOverTime "ts_of_max_over_time" [M] 1..1 => V,
    TsOfMinOverTime "ts_of_min_over_time" [M] 1..1 => V,
    Vector "vector" [S] 1..1 => V,
    Year "year" [V] 0..1 => V,
}

impl Function {
    /// The function of this name; names are in lower case.
    pub fn named(name: &str) -> Option<Self> {
        let at = ALL.binary_search_by_key(&name, |(_, signature)| signature.name);
        Some(ALL.get(at.ok()?)?.0)
    }

    /// What it takes and gives.
    pub fn signature(self) -> &'static Signature {
        // The table is in the order of the enum, both made of one list.
        &ALL[self as usize].1
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        self.signature().name
    }
}

impl Signature {
    /// The type of the argument at `index`, counted from 0.
    pub fn arg(&self, index: usize) -> Option<ValueType> {
        self.args.get(index).or(self.args.last()).copied()
    }
}

#[cfg(test)]
mod tests;
