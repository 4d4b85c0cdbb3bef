-- The columns of a holding fact: who held what, with which share, worth how much, on which day.
SELECT
  CAST(NULL AS UUID) AS person,
  CAST(NULL AS UUID) AS name_token,
  CAST(NULL AS VARCHAR) AS dataset,
  CAST(NULL AS VARCHAR) AS extract_digest,
  CAST(NULL AS BIGINT) AS row_no,
  CAST(NULL AS INTEGER) AS part,             -- which of several facts that one row tells, from 0; NULL: the only one
  CAST(NULL AS VARCHAR) AS row_digest,
  CAST(NULL AS VARCHAR) AS disputed_reason,
  CAST(NULL AS VARCHAR) AS class,            -- deposit | wallet | security | insurance | dwelling | premises | vehicle | vessel | machinery | business | sale
  CAST(NULL AS VARCHAR) AS asset,            -- the thing itself: the same unit, account or plate has the same value
  CAST(NULL AS VARCHAR) AS label,            -- what a reader may see of it (bank and last digits, model)
  CAST(NULL AS BLOB) AS display,             -- sealed text for the report (address, plate)
  CAST(NULL AS VARCHAR) AS ownership,        -- sole | joint | shares
  CAST(NULL AS INTEGER) AS share_bp,
  CAST(NULL AS UUID[]) AS co_holders,
  CAST(NULL AS BIGINT) AS value_fen,
  CAST(NULL AS VARCHAR) AS currency,
  CAST(NULL AS VARCHAR) AS status,           -- held | sold | scrapped | demolished | expropriated | … : `held` until status_on when that is given
  CAST(NULL AS DATE) AS status_on,
  CAST(NULL AS DATE) AS acquired_on,
  CAST(NULL AS DATE) AS as_of,
  CAST(NULL AS VARCHAR) AS mirrors,          -- asset of the account that this one only mirrors (R57)
  CAST(NULL AS BOOLEAN) AS custodial,        -- held for somebody else (R55)
  CAST(NULL AS VARCHAR) AS use_character,    -- of a vehicle (R53)
  CAST(NULL AS BIGINT) AS proceeds_fen,      -- of a sale by this person (R49)
  CAST(NULL AS BIGINT) AS mortgage_fen,      -- what is still owed on it (R51)
  CAST(NULL AS BOOLEAN) AS suspended,        -- a security that is not traded: its last price (R60)
  CAST(NULL AS BOOLEAN) AS contested         -- a business said to be registered under a stolen identity (R54)
WHERE FALSE
