package app.mantel.analytics.search;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.web.BadParameter;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** What people look for, what they did not find, and which titles a query comes close to. */
@RestController
class SearchInsightsController {
  private static final Pattern EXTENSION = Pattern.compile("\\.[A-Za-z0-9]{1,5}$");
  private static final int MOST = 20;
  private static final int MOST_MATCHES = 10;
  private static final int LONGEST_QUERY = 200;

  /** Words of one person alone are that person's business. */
  private static final int FEWEST_PEOPLE = 2;

  private final Database database;
  private Map<String, Trigrams> titles = Map.of();
  private long changesThen = -1;

  SearchInsightsController(Database database) {
    this.database = database;
  }

  /** Without a query {@code matches} is left out, with one the lists are. */
  @com.fasterxml.jackson.annotation.JsonInclude(
      com.fasterxml.jackson.annotation.JsonInclude.Include.NON_NULL)
  record SearchInsights(
      @Nullable String query,
      @Schema(
              description =
                  """
                  Titles alike by their trigrams, as PostgreSQL's pg_trgm has it: 0.3 or more, the \
                  10 most alike, ties by text.""")
          @Nullable List<Match> matches,
      @Schema(description = "The 20 most frequent searches, ties by text.")
          @Nullable List<Searched> top,
      @Schema(description = "The same of searches that found nothing.")
          @Nullable List<Searched> withoutResult) {}

  record Match(
      @Schema(description = "A file's name without its extension.") String text,
      double similarity) {}

  record Searched(String query, long count) {}

  @Operation(
      summary = "What people look for, what they did not find, and what they meant",
      description =
          """
          With a query its matches, without one both lists. Searches are compared in lower case \
          with single blanks. A search is listed once two people made it, a search without result \
          once two people got none; who is anonymous or not signed in counts, all together, as one.""")
  @GetMapping("/api/analytics/search-insights")
  SearchInsights insights(@RequestParam(required = false) @Nullable String query) {
    if (query == null) {
      return new SearchInsights(null, null, searched("count"), searched("without_result"));
    }
    if (query.length() > LONGEST_QUERY) {
      throw new BadParameter("query", "at most " + LONGEST_QUERY + " characters are allowed");
    }
    return new SearchInsights(query, matches(query), null, null);
  }

  private List<Searched> searched(String column) {
    return database
        .read()
        .sql(
            "select query, sum("
                + column
                + ") as times from rollup_search where "
                + column
                + " > 0 group by query having count(distinct person) >= "
                + FEWEST_PEOPLE
                + " order by times desc, query limit "
                + MOST)
        .query((row, n) -> new Searched(row.getString(1), row.getLong(2)))
        .list();
  }

  private List<Match> matches(String query) {
    Trigrams wanted = Trigrams.of(query);
    return currentTitles().entrySet().stream()
        .map(title -> new Match(title.getKey(), rounded(wanted.similarity(title.getValue()))))
        .filter(match -> match.similarity() >= Trigrams.ALIKE)
        .sorted(Comparator.comparingDouble(Match::similarity).reversed().thenComparing(Match::text))
        .limit(MOST_MATCHES)
        .toList();
  }

  private static double rounded(float similarity) {
    return Math.round(1000 * similarity) / 1000.0;
  }

  /**
   * Names without their extension, kept from one question to the next while no file changes:
   * changes are only ever added, so their number tells.
   */
  private synchronized Map<String, Trigrams> currentTitles() {
    long changes =
        database.read().sql("select count(*) from file_change").query(Long.class).single();
    if (changes == changesThen) {
      return titles;
    }
    Map<String, Trigrams> current = new HashMap<>();
    database.read(
        sql -> {
          sql.sql("select name from library_file where removed_at is null")
              .query(
                  row -> {
                    String title = EXTENSION.matcher(row.getString(1)).replaceFirst("");
                    Trigrams known = titles.get(title);
                    current.put(title, known == null ? Trigrams.of(title) : known);
                  });
          return true;
        });
    titles = current;
    changesThen = changes;
    return current;
  }
}
