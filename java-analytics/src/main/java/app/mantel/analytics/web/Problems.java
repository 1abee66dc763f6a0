package app.mantel.analytics.web;

import java.net.URI;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.WebRequest;
import org.springframework.web.servlet.mvc.method.annotation.ResponseEntityExceptionHandler;

/** From fault to answer, in one place: application/problem+json (RFC 9457) with a stable type. */
@RestControllerAdvice
class Problems extends ResponseEntityExceptionHandler {
  private static final Logger log = LoggerFactory.getLogger(Problems.class);

  static ProblemDetail problem(HttpStatusCode status, String type, String title, String detail) {
    ProblemDetail problem = ProblemDetail.forStatusAndDetail(status, detail);
    problem.setType(URI.create("urn:mantel:analytics:" + type));
    problem.setTitle(title);
    return problem;
  }

  @ExceptionHandler
  ProblemDetail badParameter(BadParameter bad) {
    ProblemDetail problem =
        problem(
            HttpStatus.BAD_REQUEST,
            "bad-parameter",
            "A parameter will not do",
            String.valueOf(bad.getMessage()));
    problem.setProperty("field", bad.field());
    return problem;
  }

  @ExceptionHandler
  ProblemDetail storeFault(DataAccessException fault) {
    log.error("the store failed", fault);
    return problem(
        HttpStatus.SERVICE_UNAVAILABLE,
        "store",
        "The store does not answer",
        "Nothing was changed; try again.");
  }

  @ExceptionHandler
  ProblemDetail anythingElse(RuntimeException fault) {
    log.error("a request failed", fault);
    return problem(
        HttpStatus.INTERNAL_SERVER_ERROR, "fault", "A fault of ours", "The log says more.");
  }

  @Override
  protected ResponseEntity<Object> handleExceptionInternal(
      Exception fault,
      @org.jspecify.annotations.Nullable Object body,
      HttpHeaders headers,
      HttpStatusCode status,
      WebRequest request) {
    ProblemDetail problem =
        body instanceof ProblemDetail known
            ? known
            : problem(status, "request", "Not answered", "The request was not understood.");
    problem.setType(URI.create("urn:mantel:analytics:request"));
    return new ResponseEntity<>(problem, headers, status);
  }
}
