/** Events from the appliance: checked, stored once, and the cursor that says how far. */
@NullMarked
package app.mantel.analytics.ingest;

import org.jspecify.annotations.NullMarked;
