package app.mantel.analytics.web;

import app.mantel.analytics.settings.Settings;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;

/** Everything but {@code GET /health} needs the appliance's token. */
@Component
class BearerFilter extends OncePerRequestFilter {
  private static final String REFUSED =
      "{\"type\":\"urn:mantel:analytics:token\",\"title\":\"No token, or not this one\",\"status\":401}";

  private final byte[] expected;

  BearerFilter(Settings settings) {
    expected = ("Bearer " + settings.toDaemon().reveal()).getBytes(StandardCharsets.UTF_8);
  }

  @Override
  protected void doFilterInternal(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    String given = request.getHeader(HttpHeaders.AUTHORIZATION);
    boolean open = "GET".equals(request.getMethod()) && "/health".equals(request.getRequestURI());
    if (open
        || (given != null
            && MessageDigest.isEqual(expected, given.getBytes(StandardCharsets.UTF_8)))) {
      chain.doFilter(request, response);
      return;
    }
    response.setStatus(HttpServletResponse.SC_UNAUTHORIZED);
    response.setHeader(HttpHeaders.WWW_AUTHENTICATE, "Bearer");
    response.setContentType("application/problem+json");
    response.getWriter().write(REFUSED);
  }
}
