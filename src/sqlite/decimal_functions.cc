// The exact sum. Integers are taken as they are; doubles are refused, since their digits are not
// the ones that were stored.
#include "sqlite/decimal_functions.h"

#include "base/decimal.h"

namespace candlewick::sqlite {
namespace {

class Sum final : public Aggregate {
 public:
  Result<void> add(std::span<const Scalar> arguments) override {
    const Scalar& value = arguments.front();
    if (std::holds_alternative<std::monostate>(value)) return {};
    Decimal term;
    if (const auto* text = std::get_if<std::string>(&value)) {
      auto parsed = Decimal::parse(*text);
      if (!parsed) return fail(std::move(parsed.error()));
      term = *parsed;
    } else if (const auto* whole = std::get_if<std::int64_t>(&value)) {
      term = Decimal(*whole);
    } else {
      return fail(ErrorKind::rejected, "decimal_sum: a double has no exact digits");
    }
    const auto sum = Decimal::add(sum_.value_or(Decimal{}), term);
    if (!sum) return fail(ErrorKind::rejected, "decimal_sum: the sum is out of range");
    sum_ = sum;
    return {};
  }
  Result<Scalar> finish() override {
    if (!sum_) return Scalar{};
    return Scalar{sum_->to_string()};
  }

 private:
  std::optional<Decimal> sum_;
};

}  // namespace

Result<void> add_decimal_functions(Database& database) {
  return database.add_aggregate("decimal_sum", 1, [] { return std::make_unique<Sum>(); });
}

}  // namespace candlewick::sqlite
