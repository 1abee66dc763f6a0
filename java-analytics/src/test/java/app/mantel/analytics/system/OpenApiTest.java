package app.mantel.analytics.system;

import static org.assertj.core.api.Assertions.assertThat;

import app.mantel.analytics.Golden;
import app.mantel.analytics.db.Store;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * openapi.json tells what the code does. To write it anew after a change: {@code mvn test
 * -Dtest=OpenApiTest -Dopenapi.write=true}.
 */
class OpenApiTest {
  private static final Path COMMITTED =
      Path.of(System.getProperty("module.folder"), "openapi.json");

  @Test
  void whatIsCommittedIsCurrent() throws Exception {
    String current = generated();
    if (Boolean.getBoolean("openapi.write")) {
      Files.writeString(COMMITTED, current);
    }
    assertThat(Files.readString(COMMITTED)).isEqualTo(current);
  }

  private static String generated() throws Exception {
    System.setProperty("springdoc.api-docs.enabled", "true");
    try (Daemon daemon = new Daemon(Store.SQLITE.empty())) {
      HttpResponse<String> answer = daemon.send(daemon.request("/v3/api-docs").GET());
      assertThat(answer.statusCode()).isEqualTo(200);
      ObjectNode api = (ObjectNode) Golden.JSON.readTree(answer.body());
      api.putArray("servers").addObject().put("url", "http://127.0.0.1:8080");
      return JsonMapper.builder()
              .enable(SerializationFeature.INDENT_OUTPUT)
              .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
              .build()
              .writeValueAsString(Golden.JSON.treeToValue(api, Object.class))
          + "\n";
    } finally {
      System.setProperty("springdoc.api-docs.enabled", "false");
    }
  }
}
