package app.mantel.analytics.library;

import app.mantel.analytics.db.Database;
import java.util.Arrays;
import org.springframework.stereotype.Component;

/**
 * The library as the feed tells it; the order of two messages about a file is that of their time.
 */
@Component
public class KnownFiles {
  private static final String NEWER =
      " where excluded.changed_at > library_file.changed_at or (excluded.changed_at ="
          + " library_file.changed_at and excluded.changed_seq >= library_file.changed_seq)";

  /**
   * A file was added or changed at {@code at}; its content is read again if size or time differ.
   */
  public void put(Database.Writing store, KnownFile file, long at, long seq) {
    int newer =
        store
            .sql()
            .sql(
                "insert into library_file (file_id, root, path, path_base64, name, folder, type,"
                    + " mime_type, size_bytes, mtime_ns, created_at, added_at, uploaded_by, changed_at,"
                    + " changed_seq) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                    + " on conflict (file_id) do update set root = excluded.root, path = excluded.path,"
                    + " path_base64 = excluded.path_base64, name = excluded.name, folder ="
                    + " excluded.folder, type = excluded.type, mime_type = excluded.mime_type,"
                    + " size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, created_at ="
                    + " excluded.created_at,"
                    + " uploaded_by = coalesce(excluded.uploaded_by, library_file.uploaded_by),"
                    + " changed_at = excluded.changed_at, changed_seq = excluded.changed_seq,"
                    + " removed_at = null"
                    + NEWER)
            .params(
                Arrays.asList(
                    file.fileId(),
                    file.root(),
                    file.path(),
                    file.pathBase64(),
                    file.name(),
                    file.folder(),
                    file.type(),
                    file.mimeType(),
                    file.sizeBytes(),
                    file.mtimeNs(),
                    file.createdAt(),
                    at,
                    file.uploadedBy(),
                    at,
                    seq))
            .update();
    if (newer == 1) {
      queue(store, file, at);
    }
    // Known since the earliest message, in whatever order they come.
    store
        .sql()
        .sql("update library_file set added_at = ? where file_id = ? and added_at > ?")
        .params(at, file.fileId(), at)
        .update();
  }

  /** A file is gone since {@code at}: what was read of it is nobody's news any more. */
  public void remove(Database.Writing store, String fileId, long at, long seq) {
    int newer =
        store
            .sql()
            .sql(
                "insert into library_file (file_id, root, path, name, folder, type, mime_type,"
                    + " size_bytes, mtime_ns, created_at, added_at, changed_at, changed_seq, removed_at)"
                    + " values (:id, '', '', '', '', '', '', 0, 0, :at, :at, :at, :seq, :at)"
                    + " on conflict (file_id) do update set changed_at = excluded.changed_at,"
                    + " changed_seq = excluded.changed_seq, removed_at = excluded.removed_at"
                    + NEWER)
            .param("id", fileId)
            .param("at", at)
            .param("seq", seq)
            .update();
    if (newer == 1) {
      store.sql().sql("delete from analysis_job where file_id = ?").param(fileId).update();
      // Its length is still needed to count what was played of it; a size that no file has makes
      // sure that a file which comes back is read again.
      store
          .sql()
          .sql(
              "update file_facts set size_bytes = -1, pending = 0, failure = null where file_id = ?")
          .param(fileId)
          .update();
    }
  }

  private static void queue(Database.Writing store, KnownFile file, long at) {
    boolean known =
        store
            .sql()
            .sql("select 1 from file_facts where file_id = ? and size_bytes = ? and mtime_ns = ?")
            .params(file.fileId(), file.sizeBytes(), file.mtimeNs())
            .query(Integer.class)
            .optional()
            .isPresent();
    if (known) {
      return;
    }
    for (AnalysisKind kind : AnalysisKind.values()) {
      if (kind.fits(file.type())) {
        store
            .sql()
            .sql(
                "insert into analysis_job (file_id, kind, attempts, not_before) values (?, ?, 0, ?)"
                    + " on conflict (file_id, kind) do update set attempts = 0, set_aside = null,"
                    + " not_before = excluded.not_before")
            .params(file.fileId(), kind.stored(), kind.notBefore(file.mtimeNs() / 1_000_000, at))
            .update();
      }
    }
  }
}
