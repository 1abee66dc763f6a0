package app.mantel.analytics.ingest;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.library.KnownFile;
import app.mantel.analytics.library.KnownFiles;
import app.mantel.analytics.playback.DirtyDays;
import app.mantel.analytics.privacy.Aliases;
import app.mantel.analytics.privacy.People;
import app.mantel.analytics.privacy.Privacy;
import app.mantel.analytics.settings.DayBorders;
import java.time.Clock;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import tools.jackson.databind.JsonNode;

/**
 * Stores batches of the feed.
 *
 * <p>Rules: a batch and its cursor are one transaction. An event is told by its id: a repeat
 * changes nothing, a higher version replaces. A bad event is set aside with its reason and the
 * cursor moves on. Two batches in another order leave the same behind.
 */
@Component
class Ingest {
  private static final int LONGEST_REJECT = 4000;

  private static final String STORE =
      "insert into event (event_id, version, seq, type, at, began_at, ended_at, person, device,"
          + " file_id, source, state, position, rate, first_byte, bytes, size_bytes, query, results)"
          + " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
          + " on conflict (event_id) do update set version = excluded.version, seq = excluded.seq,"
          + " at = excluded.at, began_at = excluded.began_at, ended_at = excluded.ended_at,"
          + " first_byte = excluded.first_byte, bytes = excluded.bytes, size_bytes ="
          + " excluded.size_bytes, position = excluded.position, state = excluded.state,"
          + " rate = excluded.rate where excluded.version > event.version";

  private final Database database;
  private final DayBorders borders;
  private final DirtyDays dirty;
  private final KnownFiles files;
  private final People people;
  private final Clock clock;

  Ingest(
      Database database,
      DayBorders borders,
      DirtyDays dirty,
      KnownFiles files,
      People people,
      Clock clock) {
    this.database = database;
    this.borders = borders;
    this.dirty = dirty;
    this.files = files;
    this.people = people;
    this.clock = clock;
  }

  record Rejected(@Nullable String eventId, String reason) {}

  record Answer(long through, int accepted, int duplicates, List<Rejected> rejected) {}

  /** The highest seq of {@code epoch} that is stored; 0 for an epoch never seen. */
  long through(String epoch) {
    return database
        .read()
        .sql("select through from ingest_cursor where epoch = ?")
        .param(epoch)
        .query(Long.class)
        .optional()
        .orElse(0L);
  }

  Answer take(String epoch, long to, Iterable<JsonNode> events) {
    return database.write(store -> new Batch(store).take(epoch, to, events));
  }

  /** One transaction's work. */
  private final class Batch {
    private final Database.Writing store;
    private final Aliases aliases;
    private final List<Event> waiting = new ArrayList<>();
    private final Set<LocalDate> touched = new TreeSet<>();
    private final List<Rejected> rejected = new ArrayList<>();
    private int accepted;
    private int duplicates;

    Batch(Database.Writing store) {
      this.store = store;
      aliases = new Aliases(store, borders);
    }

    Answer take(String epoch, long to, Iterable<JsonNode> events) {
      for (JsonNode json : events) {
        try {
          take(Event.parse(json));
        } catch (BadEvent bad) {
          setAside(epoch, json, String.valueOf(bad.getMessage()));
        }
      }
      flush();
      dirty.mark(store, touched);
      long through =
          store
              .sql()
              .sql(
                  "insert into ingest_cursor (epoch, through, updated_at) values (?, ?, ?)"
                      + " on conflict (epoch) do update set through = case when excluded.through >"
                      + " ingest_cursor.through then excluded.through else ingest_cursor.through end,"
                      + " updated_at = excluded.updated_at returning through")
              .params(epoch, to, clock.millis())
              .query(Long.class)
              .single();
      return new Answer(through, accepted, duplicates, List.copyOf(rejected));
    }

    private void take(Event event) {
      switch (event.type()) {
        case FILE_ADDED, FILE_CHANGED, FILE_REMOVED -> takeFile(event);
        case USER_CHANGED, USER_DELETED -> takeUser(event);
        default -> {
          // What is older was counted long ago, or never will be.
          if (dirty.counts(event.beganAt())) {
            waiting.add(event);
          } else {
            duplicates++;
          }
        }
      }
    }

    private void takeFile(Event event) {
      String fileId = String.valueOf(event.fileId());
      Event.FileState state = (Event.FileState) event.payload();
      boolean fresh =
          store
                  .sql()
                  .sql(
                      "insert into file_change (event_id, file_id, at, seq, size_bytes)"
                          + " values (?, ?, ?, ?, ?) on conflict do nothing")
                  .params(
                      Arrays.asList(
                          event.eventId(),
                          fileId,
                          event.at(),
                          event.seq(),
                          state == null ? null : state.sizeBytes()))
                  .update()
              == 1;
      if (!fresh) {
        duplicates++;
        return;
      }
      accepted++;
      // What it is decides how its plays count, which may have come before.
      dirty.markPlaysOf(store, fileId);
      if (state == null) {
        files.remove(store, fileId, event.at(), event.seq());
        return;
      }
      String uploader = state.uploadedBy();
      files.put(
          store,
          new KnownFile(
              fileId,
              state.root(),
              state.path(),
              state.pathBase64(),
              state.name(),
              state.folder(),
              state.kind(),
              state.mimeType(),
              state.sizeBytes(),
              state.mtimeNs(),
              state.createdAt(),
              uploader != null && aliases.isNamed(uploader) ? uploader : null),
          event.at(),
          event.seq());
    }

    /** What waits is stored first, under the name that held until now. */
    private void takeUser(Event event) {
      String userId = String.valueOf(event.userId());
      flush();
      if (event.payload() instanceof Event.UserState wish) {
        touched.addAll(
            people.changed(
                store, aliases, userId, Privacy.of(wish.privacy()), event.at(), event.seq()));
      } else {
        touched.addAll(people.deleted(store, aliases, userId));
      }
      waiting.add(event);
      flush();
    }

    private void flush() {
      int[] changed = store.each(STORE, waiting.stream().map(this::row).toList());
      for (int i = 0; i < changed.length; i++) {
        Event event = waiting.get(i);
        if (changed[i] == 0) {
          duplicates++;
        } else {
          accepted++;
          touched.addAll(dirty.touched(event.beganAt(), event.endedAt()));
        }
      }
      waiting.clear();
    }

    private Object[] row(Event event) {
      String userId = event.userId();
      String person = aliases.alias(userId, event.beganAt());
      boolean named = userId != null && person != null && userId.equals(person);
      Event.Payload payload = event.payload();
      Event.Bytes bytes = payload instanceof Event.Bytes b ? b : null;
      Event.Position position = payload instanceof Event.Position p ? p : null;
      // What someone typed who is gone is not kept.
      boolean erased = person != null && person.startsWith(Aliases.GONE);
      Event.Query query = payload instanceof Event.Query q && !erased ? q : null;
      return new Object[] {
        event.eventId(),
        event.version(),
        event.seq(),
        event.type().feedName(),
        event.at(),
        event.beganAt(),
        event.endedAt(),
        person,
        userId == null || named ? event.device() : null,
        event.fileId(),
        bytes == null ? null : bytes.source(),
        position == null ? null : position.state(),
        position == null ? null : position.seconds(),
        position == null ? null : position.rate(),
        bytes == null ? null : bytes.firstByte(),
        bytes == null ? null : bytes.bytes(),
        bytes == null ? null : bytes.sizeBytes(),
        query == null ? null : query.text(),
        query == null ? null : query.results(),
      };
    }

    private void setAside(String epoch, JsonNode json, String reason) {
      JsonNode id = json.path("eventId");
      String eventId = id.isString() ? id.stringValue() : null;
      String body = json.toString();
      // Rows of people who are gone are not kept, not even broken ones.
      JsonNode user = json.path("userId");
      boolean keep = !user.isString() || aliases.isNamed(user.stringValue());
      store
          .sql()
          .sql(
              "insert into ingest_reject (epoch, seq, event_id, reason, body, rejected_at)"
                  + " values (?, ?, ?, ?, ?, ?) on conflict do nothing")
          .params(
              Arrays.asList(
                  epoch,
                  json.path("seq").asLong(-1 - rejected.size()),
                  eventId,
                  reason,
                  keep ? body.substring(0, Math.min(body.length(), LONGEST_REJECT)) : "",
                  clock.millis()))
          .update();
      rejected.add(new Rejected(eventId, reason));
    }
  }
}
