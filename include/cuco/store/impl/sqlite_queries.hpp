// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// All statements that run more than once. Their addresses are the keys of the cache of prepared statements.

namespace cuco::impl {

#define CUCO_EVOLVE_SELECT_PROGRAM                                                                      \
  "SELECT id, code, language, parent_id, archive_inspiration_ids, top_k_inspiration_ids, generation, "  \
  "timestamp,"                                                                                          \
  " code_diff, combined_score, public_metrics, private_metrics, text_feedback, complexity, embedding, " \
  "correct,"                                                                                            \
  " children_count, metadata, migration_history, island_idx, archive.program_id IS NOT NULL"            \
  " FROM programs LEFT JOIN archive ON archive.program_id = programs.id"
#define CUCO_EVOLVE_FILTER                                                      \
  " WHERE (?1 < 0 OR COALESCE(island_idx, 0) = ?1) AND (?2 = 0 OR correct = 1)" \
  " AND (?3 = 0 OR archive.program_id IS NOT NULL) AND generation >= ?4"
#define CUCO_EVOLVE_BETTER \
  " ORDER BY correct = 1 DESC, COALESCE(combined_score, 0) DESC, generation, id LIMIT ?5"

inline constexpr char kSelectOne[] = CUCO_EVOLVE_SELECT_PROGRAM " WHERE id = ?1";
inline constexpr char kSelectTop[] = CUCO_EVOLVE_SELECT_PROGRAM CUCO_EVOLVE_FILTER CUCO_EVOLVE_BETTER;
// No DELETE is ever done, so rowids grow with every insertion.
inline constexpr char kSelectAll[] =
    CUCO_EVOLVE_SELECT_PROGRAM CUCO_EVOLVE_FILTER " ORDER BY programs.rowid LIMIT ?5";
#undef CUCO_EVOLVE_SELECT_PROGRAM
#undef CUCO_EVOLVE_FILTER
#undef CUCO_EVOLVE_BETTER

inline constexpr char kInsert[] =
    "INSERT INTO programs (code, language, parent_id, archive_inspiration_ids, top_k_inspiration_ids, "
    "generation,"
    " timestamp, code_diff, combined_score, public_metrics, private_metrics, text_feedback, complexity, "
    "embedding,"
    " correct, children_count, metadata, migration_history, island_idx, id)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)";
inline constexpr char kUpdate[] =
    "UPDATE programs SET code = ?1, language = ?2, parent_id = ?3, archive_inspiration_ids = ?4,"
    " top_k_inspiration_ids = ?5, generation = ?6, timestamp = ?7, code_diff = ?8, combined_score = ?9,"
    " public_metrics = ?10, private_metrics = ?11, text_feedback = ?12, complexity = ?13, embedding = ?14,"
    " correct = ?15, children_count = ?16, metadata = ?17, migration_history = ?18, island_idx = ?19 WHERE "
    "id = ?20";
inline constexpr char kSelectJson[] =
    "SELECT public_metrics, private_metrics, metadata, migration_history FROM programs WHERE id = ?1";
inline constexpr char kArchive[] = "INSERT OR IGNORE INTO archive (program_id) VALUES (?1)";
inline constexpr char kUnarchive[] = "DELETE FROM archive WHERE program_id = ?1";
inline constexpr char kSetValue[] = "INSERT OR REPLACE INTO metadata_store (key, value) VALUES (?1, ?2)";
inline constexpr char kValue[] = "SELECT value FROM metadata_store WHERE key = ?1";
inline constexpr char kSize[] = "SELECT COUNT(*) FROM programs";
inline constexpr char kMembers[] =
    "SELECT id, COALESCE(combined_score, 0), correct, archive.program_id IS NOT NULL, generation, island_idx,"
    " children_count FROM programs LEFT JOIN archive ON archive.program_id = programs.id ORDER BY "
    "programs.rowid";

}  // namespace cuco::impl
