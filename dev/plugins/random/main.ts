import { serve } from "../protocol/server";
import { randomProvider } from "./provider";

serve(randomProvider());
