import { serve } from "../protocol/server";
import { consulProvider } from "./provider";

serve(consulProvider());
