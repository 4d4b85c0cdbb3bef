-- Per household: the figures; per head and month is the floor of the division, for display only.
WITH wide AS (
    SELECT request_id,
        any_value(struct_pack(high := high, low := low)) FILTER (figure = 'income') AS income,
        any_value(struct_pack(high := high, low := low)) FILTER (figure = 'income.wage') AS wage,
        any_value(struct_pack(high := high, low := low)) FILTER (figure = 'income.business') AS business,
        any_value(struct_pack(high := high, low := low)) FILTER (figure = 'income.property') AS property,
        any_value(struct_pack(high := high, low := low)) FILTER (figure = 'income.transfer') AS transfer,
        any_value(struct_pack(high := high, low := low)) FILTER (figure = 'financial_assets') AS financial,
        any_value(struct_pack(high := high, low := low)) FILTER (figure = 'homes') AS homes,
        any_value(struct_pack(high := high, low := low)) FILTER (figure = 'vehicles') AS vehicles,
        any_value(struct_pack(high := high, low := low)) FILTER (figure = 'businesses') AS businesses
    FROM figures GROUP BY request_id
)
SELECT request_id,
    to_json(struct_pack(business := business, property := property, transfer := transfer, wage := wage)) AS categories,
    to_json(income) AS income,
    to_json(struct_pack(
        high := income.high // nullif(counted * window_months, 0),
        low := income.low // nullif(counted * window_months, 0)
    )) AS per_capita_monthly,
    to_json(financial) AS financial,
    to_json(homes) AS homes,
    to_json(vehicles) AS vehicles,
    to_json(businesses) AS businesses
FROM wide JOIN households USING (request_id)
