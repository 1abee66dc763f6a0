/** From pings, cast positions and byte spans to what was watched. */
@NullMarked
package app.mantel.analytics.playback;

import org.jspecify.annotations.NullMarked;
