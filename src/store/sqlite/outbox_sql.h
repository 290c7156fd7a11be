// SPDX-License-Identifier: Apache-2.0
// The statements of the outbox, as sql.h has the rest. States are spelled as numbers: core::OutboxState.
#pragma once

namespace birthmark::store::sql {

inline constexpr char kInsertMessage[] = R"(
INSERT INTO outbox (channel, state, may_be_there, attempts, identity, certificate, created_at, due_at, note, body)
VALUES (?1, 1, 0, 0, ?2, ?3, ?4, ?4, '', ?5))";

inline constexpr char kRecoverMessages[] = "UPDATE outbox SET state = 1, may_be_there = 1 WHERE channel = ?1 AND state = 2";
inline constexpr char kNextDue[] =
    "SELECT due_at FROM outbox INDEXED BY outbox_due WHERE channel = ?1 AND state = 1 ORDER BY channel, due_at LIMIT 1";

// Of each device its oldest that is not settled; columns as read_message expects them.
inline constexpr char kDueMessages[] = R"(
SELECT o.id, f.name, i.ecosystem, i.external_id, o.certificate, o.attempts, o.may_be_there, o.body, c.spki_sha256
FROM outbox o INDEXED BY outbox_due
LEFT JOIN identity i ON i.id = o.identity
LEFT JOIN factory f ON f.id = i.factory
LEFT JOIN certificate x ON x.id = o.certificate
LEFT JOIN credential c ON c.id = x.credential
WHERE o.channel = ?1 AND o.state = 1 AND o.due_at <= ?2
  AND NOT EXISTS (SELECT 1 FROM outbox e INDEXED BY outbox_identity
                  WHERE e.identity = o.identity AND e.channel = o.channel AND e.id < o.id AND e.state IN (1, 2))
ORDER BY o.channel, o.due_at, o.id LIMIT ?3)";
inline constexpr char kClaimMessage[] = "UPDATE outbox SET state = 2 WHERE id = ?1";

inline constexpr char kSettleMessage[] = R"(
UPDATE outbox SET state = ?2, attempts = ?3, may_be_there = may_be_there OR ?4, due_at = ?5, note = ?6,
                  body = CASE WHEN ?2 IN (3) THEN '' ELSE body END
WHERE id = ?1 AND state = 2)";
inline constexpr char kForgetEvent[] = "DELETE FROM outbox WHERE id = ?1 AND channel = 2 AND state = 3";

// The unseen rule: is, or may be, a key of this identity known upstream? If not, what still waits is taken back.
inline constexpr char kUpstreamMayKnow[] = R"(
SELECT 1 FROM outbox INDEXED BY outbox_identity
WHERE identity = ?1 AND channel = 1 AND (state IN (2, 3, 4) OR may_be_there) LIMIT 1)";
inline constexpr char kSupersedeMessages[] =
    "UPDATE outbox SET state = 7, body = '' WHERE identity = ?1 AND channel = 1 AND state IN (1, 5)";

// --- those who ask; columns as read_entry expects them -------------------------------------------------------------------------------
inline constexpr char kFindMessage[] = R"(
SELECT o.id, o.state, i.external_id, o.attempts, o.created_at, o.due_at, o.note
FROM certificate x
JOIN credential c ON c.id = x.credential
JOIN outbox o INDEXED BY outbox_identity ON o.identity = c.identity AND o.channel = ?1 AND o.certificate = x.id
LEFT JOIN identity i ON i.id = o.identity
WHERE x.id = ?2 ORDER BY o.id DESC LIMIT 1)";
inline constexpr char kListMessages[] = R"(
SELECT o.id, o.state, i.external_id, o.attempts, o.created_at, o.due_at, o.note
FROM outbox o LEFT JOIN identity i ON i.id = o.identity
WHERE o.channel = ?1 AND o.state = ?2 AND o.id > ?3 ORDER BY o.id LIMIT ?4)";
inline constexpr char kCountMessages[] = R"(
SELECT state, count(*), min(created_at) FROM outbox INDEXED BY outbox_open
WHERE channel = ?1 AND state IN (1, 2, 4, 5) GROUP BY state)";

inline constexpr char kRetryMessage[] = R"(
UPDATE outbox SET state = 1, due_at = ?3, note = '' WHERE id = ?2 AND channel = ?1 AND state IN (1, 4, 5) AND body <> '')";
inline constexpr char kDropMessage[] = "UPDATE outbox SET state = 6, body = '' WHERE id = ?2 AND channel = ?1 AND state IN (1, 4, 5)";
inline constexpr char kRetryMessages[] = R"(
UPDATE outbox INDEXED BY outbox_open SET state = 1, due_at = ?3, note = ''
WHERE channel = ?1 AND state = ?2 AND state IN (1, 2, 4, 5) AND state <> 2 AND body <> '')";
inline constexpr char kDropMessages[] = R"(
UPDATE outbox INDEXED BY outbox_open SET state = 6, body = ''
WHERE channel = ?1 AND state = ?2 AND state IN (1, 2, 4, 5) AND state <> 2)";

}  // namespace birthmark::store::sql
