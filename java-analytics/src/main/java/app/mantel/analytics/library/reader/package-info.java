/**
 * The process that parses strangers' bytes: no network, no token, no store; it is killed when it
 * takes too long. Nothing here knows the rest of the daemon.
 */
@NullMarked
package app.mantel.analytics.library.reader;

import org.jspecify.annotations.NullMarked;
